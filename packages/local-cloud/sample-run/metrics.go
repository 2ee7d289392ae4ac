package main

import (
	"fmt"
	"math/rand"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// The four metrics of k8sfv, with the same names, help texts and labels.
var (
	heapAllocBytes = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Name: "k8sfv_heap_alloc_bytes",
		Help: "Occupancy measurement",
	}, []string{"process", "test_name", "test_step", "code_level"})
	occupancyMeanBytes = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Name: "k8sfv_occupancy_mean_bytes",
		Help: "Mean occupancy for a test",
	}, []string{"process", "test_name", "code_level"})
	occupancyIncreasePercent = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Name: "k8sfv_occupancy_increase_percent",
		Help: "% occupancy increase during a test",
	}, []string{"process", "test_name", "code_level"})
	testResult = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Name: "k8sfv_test_result",
		Help: "Test result, i.e. pass (1) or failure (0)",
	}, []string{"test_name", "code_level"})
)

const (
	process  = "felix"
	leakTest = "with a k8s clientset with 1 remote node should not leak memory [slow]"
	// Cycles of the leak test.
	iterations = 20
)

// Full Ginkgo test names in the order in which they run.
var tests = []string{
	"health tests with Felix running should be healthy",
	"testing the test code should get non-nil value from getMac",
	"with a k8s clientset with 1 remote node should create 10k endpoints [slow]",
	leakTest,
	"with a k8s clientset with 1 local node denied packets between 2 local endpoints",
	"with a k8s clientset with 1 local node should handle a local endpoint",
	"with a k8s clientset with 1 local node should handle 10 local endpoints",
	"with a k8s clientset with 1 local node should handle 100 local endpoints [slow]",
	"with a k8s clientset with 1 local node should create two isolated namespaces",
	"with a k8s clientset with 1 local and 9 remote nodes should add and remove 1000 pods, " +
		"of which about 100 on local node [slow]",
}

// record sets the metrics of a run in which the last `fail` tests fail. Only the leak test measures occupancy, as in k8sfv;
// its mean is `mean` bytes, or a generated value of about 40 MB if `mean` is 0.
func record(codeLevel string, fail int, mean float64, random *rand.Rand) Summary {
	for i, test := range tests {
		result := 1.0
		if i >= len(tests)-fail {
			result = 0
		}
		testResult.WithLabelValues(test, codeLevel).Set(result)
	}
	if mean == 0 {
		mean = float64(40_000_000 + random.Intn(4_000_000))
	}
	for i := range iterations {
		step := fmt.Sprintf("iteration%d", i)
		heapAllocBytes.WithLabelValues(process, leakTest, step, codeLevel).
			Set(mean * (0.98 + 0.04*random.Float64()))
	}
	occupancyMeanBytes.WithLabelValues(process, leakTest, codeLevel).Set(mean)
	occupancyIncreasePercent.WithLabelValues(process, leakTest, codeLevel).Set(random.Float64() - 0.5)
	return Summary{
		CodeLevel:          codeLevel,
		Tests:              len(tests),
		Passing:            len(tests) - fail,
		OccupancyMeanBytes: mean,
		OccupancyTest:      leakTest,
	}
}
