package main

import (
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// logEvery is how often a long verb says in a log how far it is.
const logEvery = 10 * time.Second

// A progress tells how far a long verb is, how fast it goes and when the stage
// will end: with a bar on a terminal, with a log line every ten seconds
// otherwise, so that no log is ever full of bars.
type progress struct {
	mu    sync.Mutex
	w     io.Writer
	log   *slog.Logger // nil on a terminal
	stage string
	began time.Time // the stage
	from  int64     // what was done by then
	bar   *progressbar.ProgressBar
	next  time.Time
}

// newProgress reports to w. With quiet it reports nothing.
func newProgress(w io.Writer, quiet bool) *progress {
	p := &progress{w: w, next: time.Now().Add(logEvery)}
	switch {
	case quiet:
		p.log = slog.New(slog.DiscardHandler)
	case !isTerminal(w):
		p.log = newLog(w)
	}
	return p
}

// report takes the word of a stage: done of total, 0 where the total is not
// known. It may be called concurrently.
func (p *progress) report(stage string, done, total int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now, fresh := time.Now(), stage != p.stage
	if fresh {
		p.finish()
		p.stage, p.began, p.from = stage, now, done
	}
	if p.log != nil {
		if !now.Before(p.next) {
			p.next = now.Add(logEvery)
			p.log.Info(stage, p.pace(now, done, total)...)
		}
		return
	}
	if total <= 0 {
		total = -1 // a spinner
	}
	if fresh {
		p.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(p.w),
			progressbar.OptionSetDescription(stage),
			progressbar.OptionShowCount(),
			progressbar.OptionShowIts(), // and, by default, the time left
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionSetSpinnerChangeInterval(0), // no goroutine of its own
			progressbar.OptionClearOnFinish(),
		)
	}
	if p.bar.GetMax64() != total {
		p.bar.ChangeMax64(total)
	}
	_ = p.bar.Set64(done) // it fails only where the screen does
}

// pace is what a log line says of a stage.
func (p *progress) pace(now time.Time, done, total int64) []any {
	line := []any{"done", done, "total", total}
	if took := now.Sub(p.began).Seconds(); done > p.from && took > 0 {
		rate := float64(done-p.from) / took
		line = append(line, "per_second", int64(rate))
		if total > done {
			left := time.Duration(float64(total-done) / rate * float64(time.Second))
			line = append(line, "stage_ends", now.Add(left).UTC().Format(time.RFC3339))
		}
	}
	return line
}

// end clears the bar away, for what is printed next.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.finish()
}

func (p *progress) finish() {
	if p.bar != nil {
		_ = p.bar.Clear()
		p.bar = nil
	}
}
