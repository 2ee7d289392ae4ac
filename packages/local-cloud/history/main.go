// Command history writes the metrics of generated nightly runs as blocks of Prometheus's database, as if Prometheus had
// scraped them. So years of results exist within minutes.
//
//	history -nights 21 -until 2026-11-20T12:00:00Z -out /var/lib/prometheus/data
//
// Prometheus loads new blocks in its data directory within a minute, or when it starts. The blocks must end before its
// own first sample. Prints one line of JSON for each run.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// Plan describes the generated runs.
type Plan struct {
	// End of the data. Only complete nights are generated.
	Until time.Time
	// Number of nights, each with one run of each code level.
	Nights int
	// Number of the newest nights for which all scrapes are written. For earlier nights, only the recorded series are
	// written.
	RawNights int
	// Code levels in the order in which they run.
	Levels []string
	// Number of tests of a run, and of those that measure occupancy.
	Tests, MeasuringTests int
	// Time from midnight UTC to a night's first push, and from each push to the next one.
	Start, Spacing time.Duration
	// Scrape interval.
	Interval time.Duration
	// Number of failed tests, and of missing runs, in a thousand.
	FailPerMille, MissPerMille int
	// Whether Felix is scraped too, for 40 minutes after each push.
	Felix bool
	// Seed of the random numbers.
	Seed uint64
}

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "history:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	plan, folder, err := parse(args, out)
	if err != nil {
		return err
	}
	runs := plan.Runs()
	if len(runs) == 0 {
		return errors.New("the generated nights contain no run")
	}
	if err := writeBlocks(plan, runs, folder); err != nil {
		return err
	}
	encoder := json.NewEncoder(out)
	for _, run := range runs {
		if err := encoder.Encode(run); err != nil {
			return err
		}
	}
	return nil
}

func parse(args []string, out io.Writer) (Plan, string, error) {
	flags := flag.NewFlagSet("history", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	plan := Plan{}
	folder := flags.String("out", "", "directory for the blocks (required)")
	until := flags.String("until", "", "end of the data in RFC 3339; default: now")
	levels := flags.String("levels", "master,release-v3.30,release-v3.31,dev", "code levels in the order of their runs")
	flags.IntVar(&plan.Nights, "nights", 21, "number of nights")
	flags.IntVar(&plan.RawNights, "raw-nights", -1,
		"number of last nights with all scrapes; earlier nights have only recorded series; -1: all nights")
	flags.IntVar(&plan.Tests, "tests", 10, "number of tests of a run")
	flags.IntVar(&plan.MeasuringTests, "measuring-tests", 1, "number of tests that measure occupancy")
	flags.DurationVar(&plan.Start, "start", 90*time.Minute, "time of a night's first push after midnight UTC")
	flags.DurationVar(&plan.Spacing, "spacing", 45*time.Minute, "time between pushes")
	flags.DurationVar(&plan.Interval, "interval", 10*time.Second, "scrape interval")
	flags.IntVar(&plan.FailPerMille, "fail", 15, "number of failed tests in a thousand")
	flags.IntVar(&plan.MissPerMille, "miss", 10, "number of missing runs in a thousand")
	flags.BoolVar(&plan.Felix, "felix", false, "also write Felix's own metrics, for 40 minutes after each push")
	flags.Uint64Var(&plan.Seed, "seed", 1, "seed of the random numbers")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			flags.SetOutput(out)
			flags.PrintDefaults()
		}
		return plan, "", err
	}
	plan.Until = time.Now()
	if *until != "" {
		end, err := time.Parse(time.RFC3339, *until)
		if err != nil {
			return plan, "", fmt.Errorf("-until %q is not a time like 2026-11-20T12:00:00Z", *until)
		}
		plan.Until = end
	}
	plan.Until = plan.Until.UTC().Truncate(plan.Interval)
	plan.Levels = strings.Split(*levels, ",")
	if plan.RawNights < 0 {
		plan.RawNights = plan.Nights
	}
	return plan, *folder, plan.check(*folder)
}

func (p Plan) check(folder string) error {
	last := p.Start + time.Duration(len(p.Levels)-1)*p.Spacing
	switch {
	case folder == "":
		return errors.New("-out is missing: set the directory for the blocks")
	case p.Nights < 1 || p.Nights > 20*366:
		return fmt.Errorf("-nights %d: must be 1 to %d", p.Nights, 20*366)
	case p.Tests < 1 || p.MeasuringTests < 0 || p.MeasuringTests > p.Tests:
		return fmt.Errorf("-tests %d -measuring-tests %d: there must be at least one test, and at most as many measuring tests as tests",
			p.Tests, p.MeasuringTests)
	case p.Interval < time.Second || p.Interval > time.Minute:
		return fmt.Errorf("-interval %s: must be 1s to 1m", p.Interval)
	case p.Start < 0 || p.Spacing < 2*time.Minute || last >= 24*time.Hour:
		return fmt.Errorf("-start %s -spacing %s: pushes of %d code levels, at least 2m apart, must fit into a day",
			p.Start, p.Spacing, len(p.Levels))
	}
	return nil
}
