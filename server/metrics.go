package server

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// metrics are what operators scrape. Labels are routes and classes of status,
// never a postcode.
type metrics struct {
	registry     *prometheus.Registry
	requests     [routes][6]prometheus.Counter // by route and class of status
	duration     [routes]prometheus.Observer
	refused      *prometheus.CounterVec
	panics       prometheus.Counter
	acceptErrors prometheus.Counter
	candidates   *prometheus.CounterVec // refused, by reason
}

var classes = [6]string{"", "", "2xx", "3xx", "4xx", "5xx"}

func newMetrics(s *Server) *metrics {
	m := &metrics{registry: prometheus.NewRegistry()}
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "coverd_requests_total", Help: "Questions answered, by route and class of status.",
	}, []string{"route", "status"})
	// Native buckets for those who scrape them; the others are from 250 ns, at
	// which the fastest look-ups begin, to 0.5 s. What a handler is promised to
	// take is a bound, so that how many kept to it is counted and not estimated.
	bounds := append(prometheus.ExponentialBuckets(250e-9, 2, 22), 2.5e-6, 20e-6)
	slices.Sort(bounds)
	duration := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "coverd_request_duration_seconds", Help: "Time from the request's having been read to its answer's being made.",
		Buckets: bounds, NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 160,
	}, []string{"route"})
	for r := range routeTable {
		for class := 2; class < len(classes); class++ {
			m.requests[r][class] = requests.WithLabelValues(routeTable[r].path, classes[class])
		}
		m.duration[r] = duration.WithLabelValues(routeTable[r].path)
	}
	m.refused = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "coverd_requests_refused_total", Help: "Requests that no route has seen, by the code of the problem.",
	}, []string{"code"})
	m.panics = prometheus.NewCounter(prometheus.CounterOpts{Name: "coverd_panics_total", Help: "Panics while answering: each is a defect."})
	m.acceptErrors = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "coverd_accept_errors_total", Help: "Connections that could not be accepted for want of descriptors or memory.",
	})
	m.candidates = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "coverd_snapshot_refused_total", Help: "Snapshots that should have been served and could not be, by reason.",
	}, []string{"reason"})
	if s.reloads != nil {
		for _, reason := range reasons {
			m.candidates.WithLabelValues(reason)
		}
		m.registry.MustRegister(m.candidates, reloadCollector{s.reloads})
	}
	m.registry.MustRegister(s.wanMatrix.answers, s.wanMatrix.cut)
	if s.desk != nil {
		d := s.desk.metrics
		m.registry.MustRegister(d.events, d.commits, d.took, d.writes, deskCollector{s.desk})
	}
	m.registry.MustRegister(requests, duration, m.refused, m.panics, m.acceptErrors, snapshotCollector{s},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewBuildInfoCollector())
	return m
}

func (m *metrics) observe(r route, status int, took time.Duration) {
	m.requests[r][status/100].Inc()
	m.duration[r].Observe(took.Seconds())
}

// snapshotCollector tells of the snapshot that is being answered from at the
// moment of the scrape.
type snapshotCollector struct{ s *Server }

var (
	snapshotInfo = prometheus.NewDesc("coverd_snapshot_info", "The snapshot answered from.", []string{"id", "as_of", "tool"}, nil)
	snapshotAsOf = prometheus.NewDesc("coverd_snapshot_as_of_timestamp_seconds", "The start, in London, of the day the snapshot's data describes.", nil, nil)
	snapshotAge  = prometheus.NewDesc("coverd_snapshot_age_seconds", "Time since the start, in London, of the day the snapshot's data describes.", nil, nil)
	snapshotSize = prometheus.NewDesc("coverd_snapshot_bytes", "Size of the snapshot, in its file and in memory.", []string{"where"}, nil)
	snapshotHas  = prometheus.NewDesc("coverd_snapshot_records", "What the snapshot holds.", []string{"kind"}, nil)
)

// Describe implements prometheus.Collector.
func (c snapshotCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- snapshotInfo
	ch <- snapshotAsOf
	ch <- snapshotAge
	ch <- snapshotSize
	ch <- snapshotHas
}

// Collect implements prometheus.Collector.
func (c snapshotCollector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	held := c.s.snap.Load()
	info := held.Info()
	gauge(snapshotInfo, 1, info.ID, info.AsOf.String(), info.Tool)
	gauge(snapshotAsOf, float64(c.s.clock.startOf(info.AsOf).Unix()))
	gauge(snapshotAge, c.s.ageOf(held).Seconds())
	gauge(snapshotSize, float64(info.Bytes), "file")
	gauge(snapshotSize, float64(info.Memory), "memory")
	for kind, n := range map[string]int64{
		"premises": info.Premises, "postcodes": info.Postcodes, "outcodes": info.Outcodes, "claims": info.Claims, "areas": info.Areas,
	} {
		gauge(snapshotHas, float64(n), kind)
	}
}

// ageOf is the time since the start of the day that a snapshot's data describes.
func (s *Server) ageOf(h *held) time.Duration {
	return s.clock.now().Sub(s.clock.startOf(h.ref.AsOf.V))
}

// reloadCollector tells how it goes with the snapshots that follow.
type reloadCollector struct{ r *reloader }

var (
	snapshotSequence = prometheus.NewDesc("coverd_snapshot_sequence", "Sequence of the generation answered from; 0 for a single file.", nil, nil)
	snapshotSwaps    = prometheus.NewDesc("coverd_snapshot_swaps_total", "How often another snapshot has taken the place of the one answered from.", nil, nil)
	snapshotOpenTook = prometheus.NewDesc("coverd_snapshot_open_seconds", "Time to open and verify the snapshot that was opened last.", nil, nil)
	snapshotLooked   = prometheus.NewDesc("coverd_snapshot_last_look_timestamp_seconds", "When it was last found that the snapshot answered from is the one that should be.", nil, nil)
	snapshotPending  = prometheus.NewDesc("coverd_snapshot_candidate_refused", "1 while another snapshot should be answered from and cannot be, else 0.", nil, nil)
)

// Describe implements prometheus.Collector.
func (c reloadCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{snapshotSequence, snapshotSwaps, snapshotOpenTook, snapshotLooked, snapshotPending} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c reloadCollector) Collect(ch chan<- prometheus.Metric) {
	tell := func(d *prometheus.Desc, kind prometheus.ValueType, v float64) {
		ch <- prometheus.MustNewConstMetric(d, kind, v)
	}
	pending := 0.0
	if c.r.refused.Load() != nil {
		pending = 1
	}
	tell(snapshotSequence, prometheus.GaugeValue, float64(c.r.s.snap.Load().offer.Sequence))
	tell(snapshotSwaps, prometheus.CounterValue, float64(c.r.swaps.Load()))
	tell(snapshotOpenTook, prometheus.GaugeValue, time.Duration(c.r.openTook.Load()).Seconds())
	tell(snapshotLooked, prometheus.GaugeValue, float64(c.r.looked.Load())/1e9)
	tell(snapshotPending, prometheus.GaugeValue, pending)
}
