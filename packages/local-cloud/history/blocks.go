package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

// Largest block that Prometheus's compaction creates: 20 days, i.e. two hours tripled repeatedly. Blocks of this size
// need no further compaction.
const blockMs = 486 * 3600 * 1000

// Number of samples between two commits.
const batch = 100_000

// A writer writes samples to blocks, in order of time.
type writer struct {
	folder string
	block  *tsdb.BlockWriter
	app    storage.Appender
	// End of the block, and the number of samples since the last commit.
	end     int64
	pending int
	// All series by their labels.
	known map[string]*series
}

// find returns the series with a name and labels, always the same one for the same labels.
func (w *writer) find(name string, pairs ...string) *series {
	set := labels.FromStrings(append([]string{labels.MetricName, name}, pairs...)...)
	key := set.String()
	if w.known[key] == nil {
		w.known[key] = &series{labels: set}
	}
	return w.known[key]
}

// A series to which samples are appended. The reference is valid for the current block.
type series struct {
	labels labels.Labels
	ref    storage.SeriesRef
	block  *tsdb.BlockWriter
}

var stale = math.Float64frombits(value.StaleNaN)

func writeBlocks(plan Plan, runs []Run, folder string) error {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	w := &writer{folder: folder, known: map[string]*series{}}
	if err := scrapeAll(w, plan, runs); err != nil {
		return errors.Join(err, w.discard())
	}
	return w.flush()
}

func (w *writer) add(s *series, at int64, v float64) error {
	if at >= w.end {
		if err := w.flush(); err != nil {
			return err
		}
		block, err := tsdb.NewBlockWriter(slog.New(slog.DiscardHandler), w.folder, blockMs)
		if err != nil {
			return err
		}
		w.block, w.app, w.end = block, block.Appender(context.Background()), (at/blockMs+1)*blockMs
	}
	ref := s.ref
	if s.block != w.block {
		ref = 0
	}
	ref, err := w.app.Append(ref, s.labels, at, v)
	if err != nil {
		return fmt.Errorf("%s at %d: %w", s.labels, at, err)
	}
	s.ref, s.block = ref, w.block
	if w.pending++; w.pending < batch {
		return nil
	}
	if err := w.app.Commit(); err != nil {
		return err
	}
	w.app, w.pending = w.block.Appender(context.Background()), 0
	return nil
}

func (w *writer) flush() error {
	if w.block == nil {
		return nil
	}
	if err := w.app.Commit(); err != nil {
		return err
	}
	if _, err := w.block.Flush(context.Background()); err != nil {
		return err
	}
	err := w.block.Close()
	w.block, w.end, w.pending = nil, 0, 0
	return err
}

func (w *writer) discard() error {
	if w.block == nil {
		return nil
	}
	return w.block.Close()
}
