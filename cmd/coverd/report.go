package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"coverd/index/generations"
	"coverd/loader"
)

// writeReport writes the report of a build in the form that a file's ending asks
// for.
func writeReport(w io.Writer, r *loader.Report, ending string) error {
	switch ending {
	case ".json":
		return printJSON(w, r)
	case ".txt":
		return r.WriteText(w)
	}
	return fmt.Errorf("no report is written as %q: name it .json or .txt", ending)
}

// checkReports refuses reports that have no form, or the place of something that
// the build reads or writes.
func (o *buildOptions) checkReports(m *loader.Manifest) error {
	for i, path := range o.reports {
		if err := writeReport(io.Discard, &loader.Report{}, filepath.Ext(path)); err != nil {
			return usagef("--report %s: %w", path, err)
		}
		for what, files := range inputsOf(m) {
			for _, f := range files {
				if sameFile(path, f) {
					return usagef("--report %s: it is a file of %s, which would be lost; choose another", path, what)
				}
			}
		}
		others := map[string]string{"--out": o.out, "--rejects": o.rejects, "--previous": o.previous}
		for k, other := range o.reports[:i] {
			others[fmt.Sprintf("the %d. --report", k+1)] = other
		}
		for flag, other := range others {
			if other != "" && sameFile(path, other) {
				return usagef("--report and %s are both %s", flag, path)
			}
		}
	}
	return nil
}

// writeReports writes all reports that were asked for.
func (o *buildOptions) writeReports(r *loader.Report) error {
	for _, path := range o.reports {
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return err
		}
		write := func(w io.Writer) error { return writeReport(w, r, filepath.Ext(path)) }
		if _, err := generations.WriteFile(filepath.Dir(path), write, func(string) (string, error) { return filepath.Base(path), nil }); err != nil {
			return fmt.Errorf("the report: %w", err)
		}
	}
	return nil
}

// stopwatch measures the stages of a build.
type stopwatch struct {
	list  []loader.Timing
	began time.Time // the last of them
}

func newStopwatch() *stopwatch { return &stopwatch{began: time.Now()} }

// stage says which stage the build is in; the same again says nothing new.
func (w *stopwatch) stage(name string) {
	if n := len(w.list); n > 0 && w.list[n-1].Stage == name {
		return
	}
	w.stop()
	w.list = append(w.list, loader.Timing{Stage: name})
}

// stop ends the last stage.
func (w *stopwatch) stop() {
	now := time.Now()
	if n := len(w.list); n > 0 {
		w.list[n-1].Seconds += now.Sub(w.began).Seconds()
	}
	w.began = now
}

// timings ends the last stage and returns them all.
func (w *stopwatch) timings() []loader.Timing {
	w.stop()
	return w.list
}
