package server

import (
	"errors"
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

// Nor is it paced for what could be opened, and was not made active after all.
func TestCollectorIsPacedForWhatIsServed(t *testing.T) {
	before := debug.SetGCPercent(77)
	defer debug.SetGCPercent(before)
	c := newCanaries(t, 2, 1)
	s := c.open(t, Options{PaceCollector: true})
	s.snap.Load().Info().Memory = largeSnapshot + 1
	refused := errors.New("refused")
	_, err := s.reloads.change(t.Context(), s.reloads.source.(*DirSource), func(l *generations.Lock) (generations.Generation, error) {
		g, err := l.Activate(c.list[1].Name)
		return g, errors.Join(err, refused)
	})
	if got := debug.SetGCPercent(77); got != growthLarge || !errors.Is(err, refused) {
		t.Errorf("%d, want %d: %v", got, growthLarge, err)
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

// Nor are processors left over where two are out of the way at once, whichever
// ends first.
func TestProcessorsMoreOutOfTheWay(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	for _, firstEndsFirst := range []bool{true, false} {
		var ends, ended [2]chan struct{}
		for i := range ends {
			ends[i], ended[i] = make(chan struct{}), make(chan struct{})
			began := make(chan struct{})
			go func() {
				outOfTheWay(func() { close(began); <-ends[i] })
				close(ended[i])
			}()
			<-began
		}
		order := []int{1, 0}
		if firstEndsFirst {
			order = []int{0, 1}
		}
		for left, i := range order {
			if n := runtime.GOMAXPROCS(0); n != before+2-left {
				t.Errorf("%d are out of the way: %d, want %d", 2-left, n, before+2-left)
			}
			close(ends[i])
			<-ended[i]
		}
		if n := runtime.GOMAXPROCS(0); n != before {
			t.Errorf("%d afterwards, want %d", n, before)
		}
	}
}
