import io.prometheus.metrics.core.metrics.Gauge;
import io.prometheus.metrics.exporter.pushgateway.PushGateway;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.net.URI;

/** Pushes gauges to a Pushgateway with prometheus-metrics-exporter-pushgateway; arguments as those of push.go. */
class PushNewest {
  public static void main(String[] args) throws Exception {
    PrometheusRegistry registry = new PrometheusRegistry();
    for (int at = 3; at < args.length; at++) {
      String[] pair = args[at].split("=");
      Gauge gauge = Gauge.builder().name(pair[0]).help("A pushed gauge.").register(registry);
      gauge.set(Double.parseDouble(pair[1]));
    }
    PushGateway.Builder builder =
        PushGateway.builder().address(URI.create(args[1]).getAuthority()).job(args[2]).registry(registry);
    String user = System.getenv("PUSH_USER");
    if (user != null) builder.basicAuth(user, System.getenv("PUSH_PASSWORD"));
    PushGateway gateway = builder.build();
    if (args[0].equals("add")) gateway.pushAdd();
    else gateway.push();
  }
}
