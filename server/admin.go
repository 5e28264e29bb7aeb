package server

import (
	"fmt"
	"net/http"
	"net/http/pprof"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// adminHandler serves health, metrics and profiles.
//
//	/livez          200 while the process can answer at all
//	/readyz         200 while questions should be sent here, else 503; ?verbose says why
//	/metrics        for Prometheus, native histograms included
//	/debug/pprof/   profiles
//
//	GET  /snapshots                  the snapshot served, and the generations there are
//	POST /snapshots/reload           looks for another one, and says what came of it
//	POST /snapshots/{key}/activate   makes a generation the active one, and serves it
//	POST /snapshots/rollback         likewise the one that was active before
//
// What changes something is refused to pages in a browser.
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
	s.handleSnapshots(mux)
	return notFromPages(mux)
}

// notFromPages refuses whatever may change something to pages in a browser, of
// whichever origin: none of ours asks for it. [http.CrossOriginProtection] would
// let through a page elsewhere whose name was made to lead here (DNS rebinding),
// because to the browser that is the same origin.
func notFromPages(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		safe := r.Method == http.MethodGet || r.Method == http.MethodHead
		if !safe && (r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != "") {
			http.Error(w, "a page in a browser changes nothing here: use curl -X POST, or 'coverd snapshots'", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}
