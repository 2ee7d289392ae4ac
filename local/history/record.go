package main

import (
	"slices"
	"strconv"
)

// recorder gives what the recording rules (alerts/recording-rules.ts) keep of a run: a sample of each series.
type recorder struct {
	find  finder
	means map[string][]mean
}

type mean struct {
	at    int64
	bytes float64
}

// The windows of the medians: so many runs, one a night, and half a day for one that came late.
var medianRuns = []int{7, 30}

const dayMs = 24 * 3600 * 1000

func (r *recorder) record(run Run) []sample {
	const job = "k8sfv"
	pushed := float64(run.PushedAt) / 1000
	samples := []sample{
		{r.find("run:push_time_seconds"), pushed},
	}
	for test, result := range run.Results {
		name := []string{"job", job, "test_name", test, "code_level", run.CodeLevel}
		samples = append(samples,
			sample{r.find("run:k8sfv_test_result", name...), float64(result)},
			sample{r.find("run:k8sfv_test_push_time_seconds", name...), pushed},
			sample{r.find("run:k8sfv_test_missing", name...), 0})
	}
	for _, m := range run.Tests {
		name := []string{"job", job, "process", process, "test_name", m.Test, "code_level", run.CodeLevel}
		samples = append(samples,
			sample{r.find("run:k8sfv_occupancy_mean_bytes", name...), m.MeanBytes},
			sample{r.find("run:k8sfv_occupancy_increase_percent", name...), m.IncreasePercent})
		for step, bytes := range m.HeapBytes {
			labelled := append([]string{"test_step", "iteration" + strconv.Itoa(step)}, name...)
			samples = append(samples, sample{r.find("run:k8sfv_heap_alloc_bytes", labelled...), bytes})
		}
		sum := 0.0
		for _, bytes := range m.HeapBytes {
			sum += bytes
		}
		samples = append(samples,
			sample{r.find("run:k8sfv_heap_alloc_bytes:min", name...), slices.Min(m.HeapBytes)},
			sample{r.find("run:k8sfv_heap_alloc_bytes:avg", name...), sum / float64(len(m.HeapBytes))},
			sample{r.find("run:k8sfv_heap_alloc_bytes:max", name...), slices.Max(m.HeapBytes)})
		key := m.Test + "\n" + run.CodeLevel
		for _, runs := range medianRuns {
			if median, ok := medianSince(r.means[key], run.PushedAt-int64(runs)*dayMs-dayMs/2); ok {
				samples = append(samples,
					sample{r.find("run:k8sfv_occupancy_mean_bytes:median"+strconv.Itoa(runs), name...), median})
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
	if len(bytes) == 0 {
		return 0, false
	}
	slices.Sort(bytes)
	middle := len(bytes) / 2
	if len(bytes)%2 == 1 {
		return bytes[middle], true
	}
	return (bytes[middle-1] + bytes[middle]) / 2, true
}
