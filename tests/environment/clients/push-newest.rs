//! Pushes gauges to a Pushgateway with the crate prometheus; see push.go for the arguments.
use std::collections::HashMap;

use prometheus::{BasicAuthentication, Gauge, Registry};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let registry = Registry::new();
    for pair in &args[4..] {
        let (name, value) = pair.split_once('=').unwrap();
        let gauge = Gauge::new(name, "A pushed gauge.").unwrap();
        gauge.set(value.parse().unwrap());
        registry.register(Box::new(gauge)).unwrap();
    }
    let login = std::env::var("PUSH_USER").ok().map(|username| BasicAuthentication {
        username,
        password: std::env::var("PUSH_PASSWORD").unwrap(),
    });
    let push = if args[1] == "add" { prometheus::push_add_metrics } else { prometheus::push_metrics };
    push(&args[3], HashMap::new(), &args[2], registry.gather(), login).unwrap();
}
