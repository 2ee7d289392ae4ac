package main

import "time"

// Time for which Felix is scraped after each push.
const felixRuns = 40 * time.Minute

// felix has the series of Felix under test; it is empty if Felix is not scraped.
type felix struct {
	from, until int64
	gauges      []*series
	counters    []*series
}

// newFelix returns the series of Felix after the push of `run`, when the next run tests Felix.
func newFelix(find finder, plan Plan, run Run) felix {
	if !plan.Felix {
		return felix{}
	}
	own := []string{"job", "felix", "instance", "10.248.0.3:9091"}
	f := felix{from: run.PushedAt, until: run.PushedAt + felixRuns.Milliseconds()}
	for _, name := range []string{
		"felix_cluster_num_workload_endpoints", "felix_cluster_num_hosts", "felix_active_local_endpoints",
		"go_memstats_heap_inuse_bytes", "process_resident_memory_bytes", "process_virtual_memory_bytes",
	} {
		f.gauges = append(f.gauges, find(name, own...))
	}
	for _, table := range []string{"filter", "mangle", "nat", "raw"} {
		labelled := append([]string{"ip_version", "4", "table", table}, own...)
		f.gauges = append(f.gauges, find("felix_iptables_chains", labelled...), find("felix_iptables_rules", labelled...))
		f.counters = append(f.counters, find("felix_iptables_lines_executed", labelled...))
	}
	for _, quantile := range []string{"0", "0.25", "0.5", "0.75", "1"} {
		f.gauges = append(f.gauges, find("go_gc_duration_seconds", append([]string{"quantile", quantile}, own...)...))
	}
	for _, name := range []string{
		"felix_iptables_restore_calls", "felix_iptables_restore_errors", "felix_iptables_save_calls",
		"felix_iptables_save_errors", "process_cpu_seconds_total", "go_gc_duration_seconds_sum",
		"go_gc_duration_seconds_count",
	} {
		f.counters = append(f.counters, find(name, own...))
	}
	return f
}

// scrape returns linear values, so that results of panels are easy to predict: each gauge grows to a hundred during the
// run, each counter by one per second.
func (f felix) scrape(at int64) []sample {
	if at < f.from || at > f.until+60_000 || len(f.gauges) == 0 {
		return nil
	}
	var samples []sample
	for _, s := range f.gauges {
		samples = append(samples, sample{s, float64(at-f.from) * 100 / float64(f.until-f.from)})
	}
	for _, s := range f.counters {
		samples = append(samples, sample{s, float64(at-f.from) / 1000})
	}
	if at > f.until {
		return stales(samples)
	}
	return samples
}
