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

// A progress tells how far a long verb is: with a bar on a terminal, with a log
// line every ten seconds otherwise, so that no log is ever full of bars.
type progress struct {
	mu    sync.Mutex
	w     io.Writer
	log   *slog.Logger // nil on a terminal
	stage string
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
	if p.log != nil {
		if now := time.Now(); !now.Before(p.next) {
			p.next = now.Add(logEvery)
			p.log.Info(stage, "done", done, "total", total)
		}
		return
	}
	if total <= 0 {
		total = -1 // a spinner
	}
	if stage != p.stage {
		p.finish()
		p.stage = stage
		p.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(p.w),
			progressbar.OptionSetDescription(stage),
			progressbar.OptionShowCount(),
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
