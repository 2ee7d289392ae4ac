package main

import (
	"fmt"
	"slices"
	"strconv"
)

// recorder computes the samples that the recording rules (monitoring-mixin/run-rules.ts) record of a run. The generated
// history has only one run per code level and night, so each run is a complete nightly run.
type recorder struct {
	find  finder
	means map[string][]mean
}

type mean struct {
	at    int64
	bytes float64
}

// Windows of the medians in days. Half a day is added for late runs.
var medianDays = []int{7, 30}

const (
	// Minimum number of earlier runs for a median.
	medianMinRuns = 3
	dayMs         = 24 * 3600 * 1000
)

func (r *recorder) record(run Run) []sample {
	const job = "k8sfv"
	pushed := float64(run.PushedAt) / 1000
	level := []string{"code_level", run.CodeLevel}
	samples := []sample{
		{r.find("run:push_time_seconds", "job", job), pushed},
		{r.find("nightly:start_time_seconds", level...), pushed},
	}
	// add appends two samples of a value: one of the series run:METRIC, which has the label job, and one of
	// nightly:METRIC, which doesn't.
	add := func(metric string, value float64, labels ...string) {
		samples = append(samples,
			sample{r.find("run:"+metric, append([]string{"job", job}, labels...)...), value},
			sample{r.find("nightly:"+metric, labels...), value})
	}
	for test, result := range run.Results {
		name := append([]string{"test_name", test}, level...)
		add("k8sfv_test_result", float64(result), name...)
		add("k8sfv_test_push_time_seconds", pushed, name...)
	}
	for _, m := range run.Tests {
		name := append([]string{"process", process, "test_name", m.Test}, level...)
		add("k8sfv_occupancy_mean_bytes", m.MeanBytes, name...)
		add("k8sfv_occupancy_increase_percent", m.IncreasePercent, name...)
		sum := 0.0
		for step, bytes := range m.HeapBytes {
			add("k8sfv_heap_alloc_bytes", bytes, append([]string{"test_step", "iteration" + strconv.Itoa(step)}, name...)...)
			sum += bytes
		}
		samples = append(samples,
			sample{r.find("nightly:k8sfv_heap_alloc_bytes:min", name...), slices.Min(m.HeapBytes)},
			sample{r.find("nightly:k8sfv_heap_alloc_bytes:avg", name...), sum / float64(len(m.HeapBytes))},
			sample{r.find("nightly:k8sfv_heap_alloc_bytes:max", name...), slices.Max(m.HeapBytes)})
		key := m.Test + "\n" + run.CodeLevel
		for _, days := range medianDays {
			if median, ok := medianSince(r.means[key], run.PushedAt-int64(days)*dayMs-dayMs/2); ok {
				name := r.find(fmt.Sprintf("nightly:k8sfv_occupancy_mean_bytes:median%dd", days), name...)
				samples = append(samples, sample{name, median})
			}
		}
		r.means[key] = append(r.means[key], mean{run.PushedAt, m.MeanBytes})
	}
	return samples
}

func medianSince(means []mean, from int64) (float64, bool) {
	var bytes []float64
	for _, m := range means[max(0, len(means)-100):] {
		if m.at > from {
			bytes = append(bytes, m.bytes)
		}
	}
	if len(bytes) < medianMinRuns {
		return 0, false
	}
	slices.Sort(bytes)
	middle := len(bytes) / 2
	if len(bytes)%2 == 1 {
		return bytes[middle], true
	}
	return (bytes[middle-1] + bytes[middle]) / 2, true
}
