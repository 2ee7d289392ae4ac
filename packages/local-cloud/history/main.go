// Command history writes the metrics of made-up nights as blocks of Prometheus's database, as if it had
// scraped them: so years of results are there in minutes.
//
//	history -nights 21 -until 2026-11-20T12:00:00Z -out /var/lib/prometheus/data
//
// Prometheus takes new blocks in its folder within a minute, or when it starts. They must end before its own
// first sample. For each run one line of JSON says what was written of it.
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

// Plan is what the nights are made of.
type Plan struct {
	// The last moment written; whole nights lie before it.
	Until time.Time
	// How many nights, one run of each code level in each.
	Nights int
	// Of so many of the last nights every scrape is written; of all others what the recording rules keep.
	RawNights int
	// Code levels in the order in which they run.
	Levels []string
	// How many tests a run has, and how many of them measure occupancy.
	Tests, MeasuringTests int
	// When the first run of a night pushes, after midnight UTC, and how long after it the next one does.
	Start, Spacing time.Duration
	// Between two scrapes.
	Interval time.Duration
	// How often a test fails and a run is left out: of a thousand.
	FailPerMille, MissPerMille int
	// Whether Felix is scraped too, for an hour after each run.
	Felix bool
	// The same seed gives the same numbers.
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
		return errors.New("there is no run in these nights")
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
	folder := flags.String("out", "", "the folder for the blocks (needed)")
	until := flags.String("until", "", "the end, in RFC 3339; default: now")
	levels := flags.String("levels", "master,release-v3.30,release-v3.31,dev", "code levels, in the order of their runs")
	flags.IntVar(&plan.Nights, "nights", 21, "how many nights")
	flags.IntVar(&plan.RawNights, "raw-nights", -1,
		"of so many of the last nights every scrape is written, of those before only what the recording rules keep; -1: of all")
	flags.IntVar(&plan.Tests, "tests", 10, "how many tests a run has")
	flags.IntVar(&plan.MeasuringTests, "measuring-tests", 1, "how many of them measure occupancy")
	flags.DurationVar(&plan.Start, "start", 90*time.Minute, "when a night's first run pushes, after midnight UTC")
	flags.DurationVar(&plan.Spacing, "spacing", 45*time.Minute, "how long after a run the next one pushes")
	flags.DurationVar(&plan.Interval, "interval", 10*time.Second, "between two scrapes")
	flags.IntVar(&plan.FailPerMille, "fail", 15, "how many of a thousand tests fail")
	flags.IntVar(&plan.MissPerMille, "miss", 10, "how many of a thousand runs don't happen")
	flags.BoolVar(&plan.Felix, "felix", false, "Felix's own metrics too, for an hour before each push")
	flags.Uint64Var(&plan.Seed, "seed", 1, "the same seed gives the same numbers")
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
		return errors.New("-out is missing: say which folder the blocks go to")
	case p.Nights < 1 || p.Nights > 20*366:
		return fmt.Errorf("-nights %d: 1 to %d are possible", p.Nights, 20*366)
	case p.Tests < 1 || p.MeasuringTests < 0 || p.MeasuringTests > p.Tests:
		return fmt.Errorf("-tests %d -measuring-tests %d: at least one test, and no more that measure than there are",
			p.Tests, p.MeasuringTests)
	case p.Interval < time.Second || p.Interval > time.Minute:
		return fmt.Errorf("-interval %s: 1s to 1m are possible", p.Interval)
	case p.Start < 0 || p.Spacing < 2*time.Minute || last >= 24*time.Hour:
		return fmt.Errorf("-start %s -spacing %s: the runs of %d code levels, at least 2m apart, have to fit into a day",
			p.Start, p.Spacing, len(p.Levels))
	}
	return nil
}
