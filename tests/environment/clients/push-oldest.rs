//! Pushes gauges to a Pushgateway with a version of the crate prometheus that does not support basic authentication;
//! see push.go for the arguments.
extern crate prometheus;

use std::collections::HashMap;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let registry = prometheus::Registry::new();
    for pair in &args[4..] {
        let (name, value) = pair.split_once('=').unwrap();
        let gauge = prometheus::Gauge::new(name, "A pushed gauge.").unwrap();
        gauge.set(value.parse().unwrap());
        registry.register(Box::new(gauge)).unwrap();
    }
    let push = if args[1] == "add" { prometheus::push_add_metrics } else { prometheus::push_metrics };
    push(&args[3], HashMap::new(), &args[2], registry.gather()).unwrap();
}
