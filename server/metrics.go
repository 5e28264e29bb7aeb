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
	snapshotAge  = prometheus.NewDesc("coverd_snapshot_age_seconds", "Time since the start, in London, of the day the snapshot's data describes.", nil, nil)
	snapshotSize = prometheus.NewDesc("coverd_snapshot_bytes", "Size of the snapshot, in its file and in memory.", []string{"where"}, nil)
	snapshotHas  = prometheus.NewDesc("coverd_snapshot_records", "What the snapshot holds.", []string{"kind"}, nil)
)

// Describe implements prometheus.Collector.
func (c snapshotCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- snapshotInfo
	ch <- snapshotAge
	ch <- snapshotSize
	ch <- snapshotHas
}

// Collect implements prometheus.Collector.
func (c snapshotCollector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	info := c.s.Snapshot().Info()
	gauge(snapshotInfo, 1, info.ID, info.AsOf.String(), info.Tool)
	gauge(snapshotAge, c.s.age().Seconds())
	gauge(snapshotSize, float64(info.Bytes), "file")
	gauge(snapshotSize, float64(info.Memory), "memory")
	for kind, n := range map[string]int64{
		"premises": info.Premises, "postcodes": info.Postcodes, "outcodes": info.Outcodes, "claims": info.Claims, "areas": info.Areas,
	} {
		gauge(snapshotHas, float64(n), kind)
	}
}

// age is the time since the start of the day the data describes.
func (s *Server) age() time.Duration {
	y, m, d := s.Snapshot().Info().AsOf.Time().Date()
	return s.clock.now().Sub(time.Date(y, m, d, 0, 0, 0, 0, s.clock.london))
}
