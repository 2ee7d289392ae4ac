package main

import (
	"fmt"
	"slices"
)

// scrapeAll writes the samples of Prometheus's scrapes and recording rules. A push replaces the previous one in the
// Pushgateway, so the values of a run are scraped until the next push.
func scrapeAll(w *writer, plan Plan, runs []Run) error {
	rawFrom := runs[len(runs)-1].Night - plan.RawNights + 1
	recorded := recorder{find: w.find, means: map[string][]mean{}}
	var before []sample
	for at, run := range runs {
		var now []sample
		if run.Night >= rawFrom {
			now = pushed(w.find, run)
		}
		rules := recorded.record(run)
		end := plan.Until.UnixMilli()
		if at+1 < len(runs) {
			end = runs[at+1].PushedAt
		}
		if err := hold(w, plan, run, now, gone(before, now), rules, end); err != nil {
			return err
		}
		before = now
	}
	return nil
}

// A sample is a series with a value.
type sample struct {
	series *series
	value  float64
}

// hold writes all scrapes from a push to the next one, and two rule evaluations in between: one that records the run,
// and the next one, which writes staleness markers for the recorded series.
func hold(w *writer, plan Plan, run Run, now, gone, rules []sample, end int64) error {
	interval := plan.Interval.Milliseconds()
	first := run.PushedAt/interval*interval + interval
	evaluated := first/60_000*60_000 + 60_000
	ruled := func(at int64) []sample {
		switch at {
		case evaluated:
			return rules
		case evaluated + 60_000:
			return stales(rules)
		}
		return nil
	}
	if len(now) == 0 { // only recorded series of this run
		if err := w.addAll(gone, first); err != nil {
			return err
		}
		if err := w.addAll(rules, evaluated); err != nil {
			return err
		}
		return w.addAll(stales(rules), evaluated+60_000)
	}
	felix := newFelix(w.find, plan, run)
	for at := first; at <= end; at += interval {
		for _, samples := range [][]sample{gone, now, felix.scrape(at), ruled(at)} {
			if err := w.addAll(samples, at); err != nil {
				return err
			}
		}
		gone = nil
	}
	return nil
}

func (w *writer) addAll(samples []sample, at int64) error {
	for _, s := range samples {
		if err := w.add(s.series, at, s.value); err != nil {
			return err
		}
	}
	return nil
}

// stales returns a staleness marker for the series of each sample.
func stales(samples []sample) []sample {
	marks := make([]sample, len(samples))
	for i, s := range samples {
		marks[i] = sample{s.series, stale}
	}
	return marks
}

// gone returns staleness markers for series that existed before and no longer exist.
func gone(before, now []sample) []sample {
	there := map[*series]bool{}
	for _, s := range now {
		there[s.series] = true
	}
	return stales(slices.DeleteFunc(slices.Clone(before), func(s sample) bool { return there[s.series] }))
}

// A finder returns the series with a name and labels.
type finder func(name string, pairs ...string) *series

// pushed returns the samples of a run as Prometheus stores them when it scrapes the Pushgateway with honor_labels. They
// have no label `instance`, because the Pushgateway exposes it with an empty value.
func pushed(find finder, run Run) []sample {
	const job = "k8sfv"
	samples := []sample{
		{find("push_time_seconds", "job", job), float64(run.PushedAt) / 1000},
		{find("push_failure_time_seconds", "job", job), 0},
		{find("go_info", "job", job, "version", "go1.25.3"), 1},
	}
	for test, result := range run.Results {
		samples = append(samples,
			sample{find("k8sfv_test_result", "job", job, "test_name", test, "code_level", run.CodeLevel), float64(result)})
	}
	for _, m := range run.Tests {
		name := []string{"job", job, "process", process, "test_name", m.Test, "code_level", run.CodeLevel}
		samples = append(samples,
			sample{find("k8sfv_occupancy_mean_bytes", name...), m.MeanBytes},
			sample{find("k8sfv_occupancy_increase_percent", name...), m.IncreasePercent})
		for step, bytes := range m.HeapBytes {
			labelled := append([]string{"test_step", fmt.Sprintf("iteration%d", step)}, name...)
			samples = append(samples, sample{find("k8sfv_heap_alloc_bytes", labelled...), bytes})
		}
	}
	for at, name := range ownMetrics {
		samples = append(samples, sample{find(name, "job", job), float64((at+1)*1_000_003 + run.Night%7)})
	}
	return samples
}

// Metrics that client_golang collects about the test process by default. A push contains them, too.
var ownMetrics = []string{
	"go_goroutines", "go_threads", "go_memstats_alloc_bytes", "go_memstats_alloc_bytes_total",
	"go_memstats_buck_hash_sys_bytes", "go_memstats_frees_total", "go_memstats_gc_sys_bytes",
	"go_memstats_heap_alloc_bytes", "go_memstats_heap_idle_bytes", "go_memstats_heap_inuse_bytes",
	"go_memstats_heap_objects", "go_memstats_heap_released_bytes", "go_memstats_heap_sys_bytes",
	"go_memstats_last_gc_time_seconds", "go_memstats_mallocs_total", "go_memstats_mcache_inuse_bytes",
	"go_memstats_mcache_sys_bytes", "go_memstats_mspan_inuse_bytes", "go_memstats_mspan_sys_bytes",
	"go_memstats_next_gc_bytes", "go_memstats_other_sys_bytes", "go_memstats_stack_inuse_bytes",
	"go_memstats_stack_sys_bytes", "go_memstats_sys_bytes", "process_cpu_seconds_total", "process_max_fds",
	"process_open_fds", "process_resident_memory_bytes", "process_start_time_seconds",
	"process_virtual_memory_bytes", "process_virtual_memory_max_bytes",
}
