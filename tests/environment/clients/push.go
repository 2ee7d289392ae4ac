// Pushes gauges to a Pushgateway with client_golang.
//
// Usage: push add|replace URL JOB NAME=VALUE...
//
// If the environment variable PUSH_USER is set, the push uses basic authentication with PUSH_USER and PUSH_PASSWORD.
package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/push"
)

func main() {
	pusher := push.New(os.Args[2], os.Args[3])
	if user, ok := os.LookupEnv("PUSH_USER"); ok {
		pusher = pusher.BasicAuth(user, os.Getenv("PUSH_PASSWORD"))
	}
	for _, pair := range os.Args[4:] {
		name, text, _ := strings.Cut(pair, "=")
		value, err := strconv.ParseFloat(text, 64)
		exitOn(err)
		gauge := prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: "A pushed gauge."})
		gauge.Set(value)
		pusher = pusher.Collector(gauge)
	}
	if os.Args[1] == "add" {
		exitOn(pusher.Add())
	} else {
		exitOn(pusher.Push())
	}
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
