package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// gateway responds to all pushes with `status` and records the last one.
type gateway struct {
	*httptest.Server
	method, path, user, password string
	families                     map[string]*dto.MetricFamily
}

func newGateway(t *testing.T, status int) *gateway {
	t.Helper()
	g := &gateway{families: map[string]*dto.MetricFamily{}}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.method, g.path = r.Method, r.URL.Path
		g.user, g.password, _ = r.BasicAuth()
		decoder := expfmt.NewDecoder(r.Body, expfmt.ResponseFormat(r.Header))
		for {
			family := &dto.MetricFamily{}
			if err := decoder.Decode(family); err == io.EOF {
				break
			} else if err != nil {
				t.Errorf("the push can't be read: %v", err)
				break
			}
			g.families[family.GetName()] = family
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(g.Close)
	return g
}

func runWith(env map[string]string, args ...string) (Summary, error) {
	testResult.Reset()
	heapAllocBytes.Reset()
	occupancyMeanBytes.Reset()
	occupancyIncreasePercent.Reset()
	var out bytes.Buffer
	err := run(args, func(name string) string { return env[name] }, &out)
	var summary Summary
	if err == nil {
		err = json.Unmarshal(out.Bytes(), &summary)
	}
	return summary, err
}

func TestPushesAsK8sfvDoes(t *testing.T) {
	g := newGateway(t, http.StatusOK)
	summary, err := runWith(
		map[string]string{"PROMPG_URL": g.URL, "CODE_LEVEL": "master"}, "-fail", "2", "-value", "12345678")
	if err != nil {
		t.Fatal(err)
	}
	if g.method != http.MethodPut || g.path != "/metrics/job/k8sfv" {
		t.Errorf("pushed with %s %s", g.method, g.path)
	}
	results := g.families["k8sfv_test_result"].GetMetric()
	sum := 0.0
	for _, metric := range results {
		sum += metric.GetGauge().GetValue()
	}
	if len(results) != 10 || sum != 8 || summary.Passing != 8 || summary.Tests != 10 {
		t.Errorf("%d results with sum %v, summary %+v", len(results), sum, summary)
	}
	mean := g.families["k8sfv_occupancy_mean_bytes"].GetMetric()[0]
	if mean.GetGauge().GetValue() != 12345678 || summary.OccupancyMeanBytes != 12345678 {
		t.Errorf("mean %v, summary %+v", mean, summary)
	}
	labels := map[string]string{}
	for _, pair := range mean.GetLabel() {
		labels[pair.GetName()] = pair.GetValue()
	}
	if labels["process"] != "felix" || labels["test_name"] != summary.OccupancyTest || labels["code_level"] != "master" {
		t.Errorf("labels %v", labels)
	}
	if n := len(g.families["k8sfv_heap_alloc_bytes"].GetMetric()); n != iterations {
		t.Errorf("%d heap measurements", n)
	}
	for _, name := range []string{"go_goroutines", "process_resident_memory_bytes", "k8sfv_occupancy_increase_percent"} {
		if g.families[name] == nil {
			t.Errorf("%s is missing", name)
		}
	}
}

func TestPasswordOfTheURLIsUsedAndNotShown(t *testing.T) {
	g := newGateway(t, http.StatusAccepted)
	target := strings.Replace(g.URL, "http://", "http://ci:secret@", 1)
	summary, err := runWith(map[string]string{"PROMPG_URL": target})
	if err != nil {
		t.Fatal(err)
	}
	if g.user != "ci" || g.password != "secret" {
		t.Errorf("user %q, password %q", g.user, g.password)
	}
	if strings.Contains(summary.URL, "secret") || summary.CodeLevel != "dev" {
		t.Errorf("summary %+v", summary)
	}
}

func TestErrors(t *testing.T) {
	refusing := newGateway(t, http.StatusUnauthorized)
	closed := httptest.NewServer(nil)
	closed.Close()
	withPassword := func(url string) string { return strings.Replace(url, "http://", "http://ci:secret@", 1) }
	for name, test := range map[string]struct {
		url, want string
		args      []string
	}{
		"missing":       {"", "PROMPG_URL is not set", nil},
		"not a URL":     {"ci:secret@10.248.1.4", "PROMPG_URL is not a URL", nil},
		"no host":       {"http://:secret@/", "PROMPG_URL is not a URL", nil},
		"refused":       {withPassword(refusing.URL), "was rejected with 401 Unauthorized", nil},
		"not listening": {withPassword(closed.URL), "connection refused", nil},
		"too many":      {refusing.URL, "it must be 0 to 10", []string{"-fail", "11"}},
		"unknown flag":  {refusing.URL, "-nonsense", []string{"-nonsense"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := runWith(map[string]string{"PROMPG_URL": test.url}, test.args...)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, want %q", err, test.want)
			}
			if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "\n") {
				t.Errorf("shows the password or has several lines: %v", err)
			}
		})
	}
}
