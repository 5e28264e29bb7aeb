package server

import (
	"fmt"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// adminHandler serves health, metrics and profiles.
//
//	/livez          200 while the process can answer at all
//	/readyz         200 while questions should be sent here, else 503; ?verbose says why
//	/metrics        for Prometheus, native histograms included
//	/debug/pprof/   profiles
func (s *Server) adminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

// readyz tells whether questions should be sent here.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	ready := !s.draining.Load()
	w.Header().Set("Cache-Control", "no-store")
	if !ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	if !r.URL.Query().Has("verbose") {
		fmt.Fprintln(w, map[bool]string{true: "ready", false: "not ready"}[ready])
		return
	}
	info := s.Snapshot().Info()
	fmt.Fprintf(w, "%s snapshot %s as of %v, %s old\n", mark(true), info.ID, info.AsOf, s.age().Truncate(time.Minute))
	if ready {
		fmt.Fprintf(w, "%s answering\n", mark(ready))
	} else {
		fmt.Fprintf(w, "%s draining: told to stop\n", mark(ready))
	}
}

func mark(ok bool) string {
	if ok {
		return "[+]"
	}
	return "[-]"
}
