package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"coverd/index"
)

// BuildOptions say which build is measured.
type BuildOptions struct {
	Binary   string // coverd, which is started as a child
	Manifest string
	Out      string // where the snapshot goes; by default it is thrown away
	Progress Progress
}

// Rows of builds.
const (
	rowBuild     = "build"
	rowBuildCPU  = "build, user and system"
	rowBuildPeak = "build, peak memory"
	rowRead      = "zstd -dc | wc -l"
	ofRead       = "zstd -dc of the same files | wc -l"
)

// BuildResult is what Build measured.
type BuildResult struct {
	Rows     []Row
	Snapshot *Snapshot
	Skipped  []string
}

// Build has coverd build a manifest in a process of its own, and beside it has
// zstd unpack the same files and wc count their lines.
func Build(ctx context.Context, o BuildOptions) (result *BuildResult, err error) {
	out := o.Out
	if out == "" {
		dir, err2 := os.MkdirTemp("", "coverd-build")
		if err2 != nil {
			return nil, err2
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
		out = filepath.Join(dir, "bench.snap")
	}
	o.Progress.report("build", 0, 2)
	cost, err := runChild(ctx, o.Binary, "build", "--quiet", "--manifest", o.Manifest, "--out", out)
	if err != nil {
		return nil, err
	}
	snap, err := index.Open(out)
	if err != nil {
		return nil, err
	}
	result = &BuildResult{Snapshot: Describe(snap)}
	var rows int64
	var files []string
	for _, s := range snap.Info().Sources {
		if s.Kind != "premises" && s.Kind != "areas" {
			continue
		}
		rows += s.Rows
		for _, f := range s.Files {
			if strings.HasSuffix(f.Path, ".zst") {
				files = append(files, filepath.Join(filepath.Dir(o.Manifest), filepath.FromSlash(f.Path)))
			}
		}
	}
	o.Progress.report("build", 1, 2)
	read, err := countLines(ctx, files)
	if err != nil {
		result.Skipped = append(result.Skipped, "zstd: "+err.Error())
	}
	second := func(name string, d time.Duration, floor time.Duration, note string) {
		r := Row{Name: name, N: rows, Unit: unitSecond, P50: rounded(d.Seconds()), Note: note}
		if floor > 0 {
			r.Floor, r.FloorOf, r.Ratio = rounded(floor.Seconds()), ofRead, rounded(d.Seconds()/floor.Seconds())
		}
		result.Rows = append(result.Rows, r)
	}
	second(rowBuild, cost.wall, read.wall, fmt.Sprintf("%s rows of extracts, with gates and report", thousands(float64(rows))))
	second(rowBuildCPU, cost.processor, read.processor, "")
	if cost.peak > 0 {
		result.Rows = append(result.Rows, Row{Name: rowBuildPeak, N: rows, Unit: unitBytes, P50: new(float64(cost.peak))})
	}
	if read.wall > 0 {
		result.Rows = append(result.Rows, Row{Name: rowRead, N: rows, Unit: unitSecond, P50: rounded(read.wall.Seconds()), Note: fmt.Sprintf("%d files", len(files))})
	}
	return result, nil
}

// cost is what a process took.
type cost struct {
	wall, processor time.Duration
	peak            int64 // resident, in bytes; 0: not known
}

// runChild runs coverd to its end.
func runChild(ctx context.Context, binary string, args ...string) (cost, error) {
	cmd := command(ctx, binary, args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	start := time.Now()
	if err := cmd.Run(); err != nil {
		return cost{}, fmt.Errorf("coverd %s: %w: %s", args[0], err, strings.TrimSpace(said.String()))
	}
	return costOf(cmd, time.Since(start)), nil
}

func costOf(cmd *exec.Cmd, wall time.Duration) cost {
	c := cost{wall: wall, processor: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		c.peak = usage.Maxrss
		if runtime.GOOS == "linux" {
			c.peak <<= 10 // there in KiB, elsewhere in bytes
		}
	}
	return c
}

// countLines has zstd unpack files and wc count their lines: the least that
// anything must take that reads them.
func countLines(ctx context.Context, files []string) (cost, error) {
	path, err := exec.LookPath("zstd")
	switch {
	case err != nil:
		return cost{}, errNotInstalled
	case len(files) == 0:
		return cost{}, errors.New("no extract is a .zst file")
	}
	for _, f := range files { // into the page cache, where the build left them unless it is small
		if err := touch(f); err != nil {
			return cost{}, err
		}
	}
	unpack := command(ctx, path, append([]string{"-dcq", "--"}, files...)...)
	count := command(ctx, "wc", "-l")
	pipe, err := unpack.StdoutPipe()
	if err != nil {
		return cost{}, err
	}
	count.Stdin = pipe
	start := time.Now()
	if err := unpack.Start(); err != nil {
		return cost{}, err
	}
	err = count.Start()
	// Only wc may hold the pipe: when it ends early zstd must see it.
	err = errors.Join(err, pipe.Close())
	if count.Process != nil {
		err = errors.Join(err, count.Wait())
	}
	err = errors.Join(err, unpack.Wait())
	if err != nil {
		return cost{}, err
	}
	a, b := costOf(unpack, time.Since(start)), costOf(count, 0)
	a.processor += b.processor
	return a, nil
}

// touch reads a file to its end.
func touch(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, f)
	return errors.Join(err, f.Close())
}
