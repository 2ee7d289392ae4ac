package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

type point struct {
	at    int64
	value float64
}

// written runs the command and returns the written series by labels, and the printed runs.
func written(t *testing.T, args ...string) (map[string][]point, []Run) {
	t.Helper()
	folder := t.TempDir()
	var out bytes.Buffer
	if err := run(append(args, "-until", "2026-11-23T12:00:00Z", "-out", folder), &out); err != nil {
		t.Fatal(err)
	}
	var runs []Run
	for decoder := json.NewDecoder(&out); decoder.More(); {
		var one Run
		if err := decoder.Decode(&one); err != nil {
			t.Fatal(err)
		}
		runs = append(runs, one)
	}
	// The reader requires a complete data directory.
	if err := os.Mkdir(filepath.Join(folder, "wal"), 0o777); err != nil {
		t.Fatal(err)
	}
	db, err := tsdb.OpenDBReadOnly(folder, "", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	querier, err := db.Querier(0, math.MaxInt64)
	if err != nil {
		t.Fatal(err)
	}
	defer querier.Close()
	all := map[string][]point{}
	set := querier.Select(context.Background(), true, nil, labels.MustNewMatcher(labels.MatchRegexp, "__name__", ".+"))
	for set.Next() {
		key := set.At().Labels().String()
		for it := set.At().Iterator(nil); it.Next() != chunkenc.ValNone; {
			at, v := it.At()
			all[key] = append(all[key], point{at, v})
		}
	}
	if err := set.Err(); err != nil {
		t.Fatal(err)
	}
	return all, runs
}

const nightlyMedian = `{__name__="nightly:k8sfv_occupancy_mean_bytes:median7d", code_level="A", process="felix", test_name="` + leakTest + `"}`

const leakSeries = `{__name__="k8sfv_occupancy_mean_bytes", code_level="A", job="k8sfv", process="felix", test_name="` + leakTest + `"}`

func TestAPushReplacesWhatWasThereBefore(t *testing.T) {
	all, runs := written(t, "-nights", "3", "-levels", "A,B", "-miss", "0")
	if len(runs) != 6 {
		t.Fatalf("%d runs", len(runs))
	}
	for _, p := range all[leakSeries] {
		// The newest run pushed by that time.
		at := slices.IndexFunc(runs, func(r Run) bool { return r.PushedAt >= p.at }) - 1
		if at < 0 {
			at = len(runs) - 1
		}
		if value.IsStaleNaN(p.value) {
			if runs[at].CodeLevel != "B" {
				t.Fatalf("marked as gone at %v, when A's are there", time.UnixMilli(p.at))
			}
			continue
		}
		if runs[at].CodeLevel != "A" || p.value != runs[at].Tests[0].MeanBytes {
			t.Fatalf("at %v: %v, but the newest run is %+v", time.UnixMilli(p.at), p.value, runs[at])
		}
	}
	// 45 minutes in each of three nights, scraped every 10 s, and a staleness marker.
	if n := len(all[leakSeries]); n < 3*270 || n > 3*272 {
		t.Errorf("%d samples", n)
	}
	push := all[`{__name__="push_time_seconds", job="k8sfv"}`]
	for i := 1; i < len(push); i++ {
		if push[i].at-push[i-1].at != 10_000 {
			t.Fatalf("a gap of %d ms at %v", push[i].at-push[i-1].at, time.UnixMilli(push[i].at))
		}
	}
}

func TestEachRunIsRecordedOnceWithTheMedianOfThoseBefore(t *testing.T) {
	for _, args := range [][]string{{}, {"-raw-nights", "2"}} {
		all, runs := written(t, append(args, "-nights", "12", "-levels", "A,B", "-miss", "0")...)
		var values []float64
		for _, p := range all[strings.Replace(leakSeries, "k8sfv_", "run:k8sfv_", 1)] {
			if !value.IsStaleNaN(p.value) {
				values = append(values, p.value)
			}
		}
		var want []float64
		for _, run := range runs {
			if run.CodeLevel == "A" {
				want = append(want, run.Tests[0].MeanBytes)
			}
		}
		if !slices.Equal(values, want) {
			t.Fatalf("recorded %v, want %v", values, want)
		}
		medians := all[nightlyMedian]
		before := slices.Clone(want[4:11])
		slices.Sort(before)
		// The last sample is the staleness marker.
		if got := medians[len(medians)-2].value; got != before[3] {
			t.Errorf("the last median is %v, want %v", got, before[3])
		}
	}
}

func TestBadInput(t *testing.T) {
	for want, args := range map[string][]string{
		"-out is missing":                 {},
		"-nights 0":                       {"-out", "x", "-nights", "0"},
		"must fit into a day":             {"-out", "x", "-start", "23h"},
		"at most as many measuring tests": {"-out", "x", "-measuring-tests", "11"},
		"is not a time":                   {"-out", "x", "-until", "yesterday"},
	} {
		if err := run(args, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %q", args, err, want)
		}
	}
}
