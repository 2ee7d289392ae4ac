// Command sample-run pushes the metrics of one made-up k8sfv run, in the way that k8sfv does it: one push at
// the end, of everything in the default registry, under the job "k8sfv".
//
//	PROMPG_URL=http://10.248.1.4:9091 CODE_LEVEL=master sample-run -fail 2
//
// It prints one line of JSON with what it pushed.
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

// A push takes milliseconds; k8sfv itself sets no limit.
const pushTimeout = 30 * time.Second

// Summary is what was pushed, for whoever reads the numbers back.
type Summary struct {
	// Address pushed to, without a password.
	URL       string `json:"url"`
	CodeLevel string `json:"codeLevel"`
	Tests     int    `json:"tests"`
	// What sum(k8sfv_test_result{code_level="…"}) is now.
	Passing int `json:"passing"`
	// The one value of k8sfv_occupancy_mean_bytes, and the test it belongs to.
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
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			flags.SetOutput(out)
			flags.PrintDefaults()
		}
		return err
	}
	if *fail < 0 || *fail > len(tests) {
		return fmt.Errorf("-fail %d: there are %d tests, so 0 to %d can fail", *fail, len(tests), len(tests))
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
	if err := pushAll(target); err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(summary)
}

func parseTarget(text string) (*url.URL, error) {
	if text == "" {
		return nil, errors.New(`PROMPG_URL is not set: give the push gateway's address, such as http://10.248.1.4:9091`)
	}
	target, err := url.Parse(text)
	// The text is not repeated: it may hold a password.
	if err != nil || (target.Scheme != "http" && target.Scheme != "https") || target.Host == "" {
		return nil, errors.New("PROMPG_URL is not a URL of the form http://HOST:PORT or https://USER:PASSWORD@HOST:PORT")
	}
	return target, nil
}

// The whole of what k8sfv does with the gateway. client_golang takes a user and password from the URL.
func pushAll(target *url.URL) error {
	seen := &statusRecorder{next: &http.Client{Timeout: pushTimeout}}
	err := push.New(target.String(), "k8sfv").Gatherer(prometheus.DefaultGatherer).Client(seen).Push()
	if err == nil {
		return nil
	}
	if seen.status != "" {
		return fmt.Errorf("the push to %s was refused with %s", target.Redacted(), seen.status)
	}
	var failed *url.Error
	if errors.As(err, &failed) {
		err = failed.Err // without the address, which url.Error shows in a form of its own
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return fmt.Errorf("no answer from %s within %s", target.Redacted(), pushTimeout)
	}
	return fmt.Errorf("can't push to %s: %w", target.Redacted(), err)
}

// statusRecorder remembers how the gateway refused a push; the library's error mixes it with the address.
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
