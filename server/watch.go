package server

import (
	"context"
	"sync"

	"github.com/fsnotify/fsnotify"
)

// watch tells of changes in the source's directory until ctx ends. Events get
// lost, and some file systems have none: they only make a look come sooner.
// rewatch watches again where that has ended, as it does when the directory is
// replaced.
func (r *reloader) watch(ctx context.Context, wg *sync.WaitGroup) (events <-chan struct{}, rewatch func()) {
	folder := r.source.folder()
	if folder == "" {
		return nil, func() {}
	}
	watcher, err := fsnotify.NewWatcher()
	if err == nil {
		err = watcher.Add(folder)
	}
	if err != nil {
		r.s.log.Warn("changes of the directory are not watched", "directory", folder, "error", err.Error(), "looks_every", r.interval.String())
	}
	if watcher == nil {
		return nil, func() {}
	}
	out := make(chan struct{}, 1)
	wg.Go(func() {
		defer func() { _ = watcher.Close() }() // of a directory that was only watched
		for {
			select {
			case <-ctx.Done():
				return
			case e, ok := <-watcher.Events:
				if !ok {
					return
				}
				// A pointer that is switched is renamed. A candidate that is being
				// written tells nothing.
				if e.Has(fsnotify.Create) || e.Has(fsnotify.Rename) || e.Has(fsnotify.Remove) {
					signal(out)
				}
			case err, ok := <-watcher.Errors: // such as that events were lost
				if ok && err != nil {
					signal(out)
				}
			}
		}
	})
	return out, func() {
		if len(watcher.WatchList()) == 0 {
			_ = watcher.Add(folder) // it may be gone; the next time again
		}
	}
}
