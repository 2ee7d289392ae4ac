package main

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"time"
)

// A Run has the pushed values of one run.
type Run struct {
	// Push time as Unix time in milliseconds. The Pushgateway exposes seconds.
	PushedAt  int64  `json:"pushedAt"`
	CodeLevel string `json:"codeLevel"`
	// Night 0 is the oldest.
	Night   int               `json:"night"`
	Results map[string]int    `json:"results"`
	Passing int               `json:"passing"`
	Tests   []TestMeasurement `json:"occupancy"`
}

// A TestMeasurement is the occupancy that one test measured.
type TestMeasurement struct {
	Test            string    `json:"test"`
	MeanBytes       float64   `json:"meanBytes"`
	IncreasePercent float64   `json:"increasePercent"`
	HeapBytes       []float64 `json:"heapBytes"`
}

const (
	process = "felix"
	// Name of k8sfv's leak test. If only one test measures, it is this one.
	leakTest = "with a k8s clientset with 1 remote node should not leak memory [slow]"
	// Number of heap measurements in a test.
	steps = 20
)

// testName returns the name of k8sfv's leak test for index 0, and a generated name for every other index.
func testName(at int) string {
	if at == 0 {
		return leakTest
	}
	return fmt.Sprintf("with a k8s clientset with 1 local node should handle %d local endpoints", at*10)
}

// Runs returns all runs from the oldest to the newest.
func (p Plan) Runs() []Run {
	midnight := p.Until.Truncate(24 * time.Hour)
	last := p.Start + time.Duration(len(p.Levels)-1)*p.Spacing
	if midnight.Add(last + 10*time.Minute).After(p.Until) {
		midnight = midnight.Add(-24 * time.Hour) // the last night must be complete
	}
	first := midnight.Add(-time.Duration(p.Nights-1) * 24 * time.Hour)
	var runs []Run
	for night := range p.Nights {
		for at, level := range p.Levels {
			random := p.random(level, night)
			if night < p.Nights-1 && random.IntN(1000) < p.MissPerMille {
				continue
			}
			// Adds up to 9 s, because real pushes don't happen exactly at the time of a scrape.
			pushed := first.Add(time.Duration(night)*24*time.Hour + p.Start + time.Duration(at)*p.Spacing +
				time.Duration(random.IntN(9_000))*time.Millisecond)
			runs = append(runs, p.makeRun(random, level, night, pushed.UnixMilli()))
		}
	}
	return runs
}

func (p Plan) makeRun(random *rand.Rand, level string, night int, pushedAt int64) Run {
	run := Run{PushedAt: pushedAt, CodeLevel: level, Night: night, Results: map[string]int{}}
	for at := range p.Tests {
		result := 1
		if random.IntN(1000) < p.FailPerMille {
			result = 0
		}
		run.Results[testName(at)] = result
		run.Passing += result
	}
	for at := range p.MeasuringTests {
		run.Tests = append(run.Tests, p.measure(random, testName(at), level, night))
	}
	return run
}

// measure returns values like those of the leak test: around 40 MB, slowly increasing over the years, different by
// test and code level, with 2 % of noise.
func (p Plan) measure(random *rand.Rand, test, level string, night int) TestMeasurement {
	base := 38e6 + 4e6*p.random(test+level, -1).Float64()
	mean := math.Round(base * (1 + 0.05*float64(night)/365) * (0.99 + 0.02*random.Float64()))
	heap := make([]float64, steps)
	for step := range heap {
		heap[step] = math.Round(mean * (0.98 + 0.04*random.Float64()))
	}
	increase := math.Round((random.Float64()-0.5)*1000) / 1000
	return TestMeasurement{Test: test, MeanBytes: mean, IncreasePercent: increase, HeapBytes: heap}
}

// random returns random numbers that depend only on the seed and these two values.
func (p Plan) random(text string, number int) *rand.Rand {
	hash := fnv.New64a()
	fmt.Fprintf(hash, "%s\n%d", text, number)
	return rand.New(rand.NewPCG(p.Seed, hash.Sum64()))
}
