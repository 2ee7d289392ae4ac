// Command sample-run pushes the metrics of one generated k8sfv run in the same way as k8sfv: one push at the end, of the
// default registry, with the job "k8sfv".
//
//	PROMPG_URL=http://10.248.1.4:9091 CODE_LEVEL=master sample-run -fail 2
//
// It prints a summary as one line of JSON.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/push"
)

// Timeout of a push, which takes milliseconds. k8sfv itself has no timeout.
const pushTimeout = 30 * time.Second

// Summary contains the pushed values, so that they can be compared with query results.
type Summary struct {
	// URL of the push, without a password.
	URL       string `json:"url"`
	CodeLevel string `json:"codeLevel"`
	Tests     int    `json:"tests"`
	// Expected value of sum(k8sfv_test_result{code_level="…"}).
	Passing int `json:"passing"`
	// The only value of k8sfv_occupancy_mean_bytes, and its test.
	OccupancyMeanBytes float64 `json:"occupancyMeanBytes"`
	OccupancyTest      string  `json:"occupancyTest"`
	Seed               int64   `json:"seed"`
}

func main() {
	if err := run(os.Args[1:], os.Getenv, os.Stdout); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return
		}
		fmt.Fprintln(os.Stderr, "sample-run:", err)
		os.Exit(1)
	}
}

func run(args []string, getenv func(string) string, out io.Writer) error {
	flags := flag.NewFlagSet("sample-run", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	fail := flags.Int("fail", 0, "how many of the tests fail")
	value := flags.Float64("value", 0, "mean occupancy in bytes; 0: a made-up one")
	seed := flags.Int64("seed", 1, "the same seed gives the same made-up numbers")
	timeout := flags.Duration("timeout", pushTimeout, "how long to wait for an answer")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			flags.SetOutput(out)
			flags.PrintDefaults()
		}
		return err
	}
	if *fail < 0 || *fail > len(tests) {
		return fmt.Errorf("-fail %d: there are %d tests, so it must be 0 to %d", *fail, len(tests), len(tests))
	}
	target, err := parseTarget(getenv("PROMPG_URL"))
	if err != nil {
		return err
	}
	codeLevel := getenv("CODE_LEVEL")
	if codeLevel == "" {
		codeLevel = "dev"
	}
	summary := record(codeLevel, *fail, *value, rand.New(rand.NewSource(*seed)))
	summary.URL = target.Redacted()
	summary.Seed = *seed
	if err := pushAll(target, *timeout); err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(summary)
}

func parseTarget(text string) (*url.URL, error) {
	if text == "" {
		return nil, errors.New(`PROMPG_URL is not set: set it to the Pushgateway's URL, such as http://10.248.1.4:9091`)
	}
	target, err := url.Parse(text)
	// The URL is not printed, because it may contain a password.
	if err != nil || (target.Scheme != "http" && target.Scheme != "https") || target.Host == "" {
		return nil, errors.New("PROMPG_URL is not a URL of the form http://HOST:PORT or https://USER:PASSWORD@HOST:PORT")
	}
	return target, nil
}

// pushAll does the same as k8sfv. client_golang uses the user and password in the URL.
func pushAll(target *url.URL, limit time.Duration) error {
	seen := &statusRecorder{next: &http.Client{Timeout: limit}}
	err := push.New(target.String(), "k8sfv").Gatherer(prometheus.DefaultGatherer).Client(seen).Push()
	if err == nil {
		return nil
	}
	if seen.status != "" {
		return fmt.Errorf("the push to %s was rejected with %s", target.Redacted(), seen.status)
	}
	var failed *url.Error
	if errors.As(err, &failed) {
		err = failed.Err // without the URL, which url.Error prints in another form
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return fmt.Errorf("no response from %s within %s", target.Redacted(), limit)
	}
	return fmt.Errorf("can't push to %s: %w", target.Redacted(), err)
}

// statusRecorder records the HTTP status of a rejected push. The library's error is not printed, because it also
// contains the URL with the password.
type statusRecorder struct {
	next   *http.Client
	status string
}

func (r *statusRecorder) Do(request *http.Request) (*http.Response, error) {
	response, err := r.next.Do(request)
	if err == nil && response.StatusCode/100 != 2 {
		r.status = response.Status
	}
	return response, err
}
