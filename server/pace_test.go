package server

import (
	"runtime"
	"runtime/debug"
	"testing"

	"coverd/index"
	"coverd/index/generations"
)

// The collector is paced by the size of what is served and while another is
// opened, and is left alone by a server that was not told to.
func TestCollectorIsPaced(t *testing.T) {
	before := debug.SetGCPercent(77)
	defer debug.SetGCPercent(before)
	small, large := &index.Info{Memory: 1 << 20}, &index.Info{Memory: 300 << 20}
	for _, c := range []struct {
		name string
		do   func(s *Server)
		want int
	}{
		{"small", func(s *Server) { s.paceServing(small) }, 100},
		{"large", func(s *Server) { s.paceServing(large) }, 10},
		{"opening", func(s *Server) { s.paceOpening() }, 150},
		{"back to small", func(s *Server) { s.paceOpening(); s.paceServing(large); s.paceServing(small) }, 100},
	} {
		for _, paces := range []bool{true, false} {
			c.do(&Server{paces: paces})
			want := c.want
			if !paces {
				want = 77
			}
			if got := debug.SetGCPercent(77); got != want {
				t.Errorf("%s, paced %t: %d, want %d", c.name, paces, got, want)
			}
		}
	}
}

// However a look ends, the collector is paced for what is served then.
func TestCollectorIsPacedAfterALook(t *testing.T) {
	before := debug.SetGCPercent(77)
	defer debug.SetGCPercent(before)
	c := newCanaries(t, 2, 1)
	s := c.open(t, Options{PaceCollector: true})
	for _, look := range []struct {
		g    int
		want string
	}{{1, lookSwapped}, {0, lookSwapped}, {0, lookUnchanged}} {
		debug.SetGCPercent(77)
		c.locked(t, func(l *generations.Lock) {
			if _, err := l.Activate(c.list[look.g].Name); err != nil {
				t.Fatal(err)
			}
		})
		if got, err := s.reloads.look(t.Context(), true); err != nil || got != look.want {
			t.Fatalf("%s, %v, want %s", got, err, look.want)
		}
		want := 100
		if look.want == lookUnchanged { // nothing was opened
			want = 77
		}
		if got := debug.SetGCPercent(77); got != want {
			t.Errorf("%s: %d, want %d", look.want, got, want)
		}
	}
}

// What is out of the way has a processor more, which is gone afterwards, be it the
// runtime or somebody else who said how many there are.
func TestProcessorMoreOutOfTheWay(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	defer setProcessors(before)
	for _, n := range []int{before, before + 2, 1} {
		runtime.GOMAXPROCS(n)
		during := 0
		outOfTheWay(func() { during = runtime.GOMAXPROCS(0) })
		if after := runtime.GOMAXPROCS(0); during != n+1 || after != n {
			t.Errorf("of %d: %d during, %d after", n, during, after)
		}
	}
}
