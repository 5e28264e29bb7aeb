package server

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"coverd/server/requests"
)

// deskMetrics tell of the ledger of service requests.
type deskMetrics struct {
	events  *prometheus.CounterVec // by the status they end in
	commits *prometheus.CounterVec // by result
	took    prometheus.Histogram
	writes  prometheus.Counter
}

func newDeskMetrics() *deskMetrics {
	m := &deskMetrics{
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "coverd_service_request_events_total", Help: "What has happened to service requests, by the status it led to.",
		}, []string{"status"}),
		commits: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "coverd_ledger_commits_total", Help: "Transactions of the ledger of service requests, by result.",
		}, []string{"result"}),
		took: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "coverd_ledger_commit_seconds", Help: "Time of a transaction of the ledger, its sync included.",
			Buckets: prometheus.ExponentialBuckets(250e-6, 2, 14), NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 160,
		}),
		writes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "coverd_ledger_writes_total", Help: "Writes that were acknowledged, several of which may be one transaction.",
		}),
	}
	for _, s := range requests.Statuses {
		m.events.WithLabelValues(string(s))
	}
	for _, result := range commitResults {
		m.commits.WithLabelValues(result)
	}
	return m
}

// commitResults are done, and what troubles a write may meet.
var commitResults = []string{
	"done", string(requests.Locked), string(requests.Full), string(requests.ReadOnly), string(requests.Damaged), string(requests.Failed),
}

func (m *deskMetrics) committed(c requests.Commit) {
	m.took.Observe(c.Took.Seconds())
	result := "done"
	if c.Err != nil {
		result = string(requests.TroubleOf(c.Err))
	} else {
		m.writes.Add(float64(c.Writes))
	}
	m.commits.WithLabelValues(result).Inc()
}

// Ledger states, as metrics call them, besides the troubles.
const (
	ledgerOpen    = "open"
	ledgerOpening = "opening"
)

func ledgerState(c requests.Condition) string {
	switch {
	case c.Trouble != "":
		return string(c.Trouble)
	case c.Open:
		return ledgerOpen
	}
	return ledgerOpening
}

// tellReady tells how it stands with the ledger: nothing of that makes a server
// less ready to be asked.
func (d *desk) tellReady(w io.Writer) {
	c := d.keeper.Condition()
	switch {
	case c.Open && c.Trouble != "":
		fmt.Fprintf(w, "%s service requests could not be kept, %s since %s: %v; the next is tried\n", mark(false), c.Trouble, c.Since.UTC().Format(time.RFC3339), c.Err)
	case c.Trouble != "":
		fmt.Fprintf(w, "%s service requests are refused, %s since %s: %v\n", mark(false), c.Trouble, c.Since.UTC().Format(time.RFC3339), c.Err)
	case c.Open:
		fmt.Fprintf(w, "%s service requests are kept in %s\n", mark(true), d.keeper)
	default:
		fmt.Fprintf(w, "%s service requests wait: %s is being opened\n", mark(false), d.keeper)
	}
}

// deskCollector tells how it stands at the moment of the scrape.
type deskCollector struct{ d *desk }

var (
	ledgerStates   = prometheus.NewDesc("coverd_ledger_state", "1 for how it stands with the ledger of service requests, else 0.", []string{"state"}, nil)
	requestsStands = prometheus.NewDesc("coverd_service_requests", "Service requests in the ledger, by status.", []string{"status"}, nil)
)

// Describe implements prometheus.Collector.
func (c deskCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- ledgerStates
	ch <- requestsStands
}

// Collect implements prometheus.Collector.
func (c deskCollector) Collect(ch chan<- prometheus.Metric) {
	now := ledgerState(c.d.keeper.Condition())
	for _, state := range append([]string{ledgerOpen, ledgerOpening, string(requests.Newer)}, commitResults[1:]...) {
		v := 0.0
		if state == now {
			v = 1
		}
		ch <- prometheus.MustNewConstMetric(ledgerStates, prometheus.GaugeValue, v, state)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = c.d.keeper.Read(ctx, func(l requests.Ledger) error { // a scrape does without what cannot be counted
		counts, err := l.Count(ctx)
		for status, n := range counts {
			ch <- prometheus.MustNewConstMetric(requestsStands, prometheus.GaugeValue, float64(n), string(status))
		}
		return err
	})
}
