import io.prometheus.client.CollectorRegistry;
import io.prometheus.client.Gauge;
import io.prometheus.client.exporter.PushGateway;
import java.net.HttpURLConnection;
import java.net.URL;
import java.util.Base64;

/** Pushes gauges to a Pushgateway with simpleclient_pushgateway; arguments as those of push.go. */
class PushSimpleclient {
  public static void main(String[] args) throws Exception {
    CollectorRegistry registry = new CollectorRegistry();
    for (int at = 3; at < args.length; at++) {
      String[] pair = args[at].split("=");
      Gauge.build(pair[0], "A pushed gauge.").register(registry).set(Double.parseDouble(pair[1]));
    }
    PushGateway gateway = new PushGateway(new URL(args[1]));
    String user = System.getenv("PUSH_USER");
    if (user != null) {
      String login = user + ":" + System.getenv("PUSH_PASSWORD");
      String header = "Basic " + Base64.getEncoder().encodeToString(login.getBytes());
      // BasicAuthHttpConnectionFactory of version 0.5.0 uses javax.xml.bind, which Java 11 and newer lack.
      gateway.setConnectionFactory(
          url -> {
            HttpURLConnection connection = (HttpURLConnection) new URL(url).openConnection();
            connection.setRequestProperty("Authorization", header);
            return connection;
          });
    }
    if (args[0].equals("add")) gateway.pushAdd(registry, args[2]);
    else gateway.push(registry, args[2]);
  }
}
