package server

import (
	"sync/atomic"
	"time"
	// London's days, on any machine.
	_ "time/tzdata"

	"coverd/index"
)

// clock tells the day in London and how far its end is.
type clock struct {
	now    func() time.Time
	london *time.Location
	today  atomic.Pointer[day]
}

// day is one calendar day in London, from start to end.
type day struct {
	day        index.Day
	start, end time.Time
}

func (c *clock) init(now func() time.Time) (err error) {
	c.now = now
	c.london, err = time.LoadLocation("Europe/London")
	return err
}

// startOf is when a day starts in London.
func (c *clock) startOf(d index.Day) time.Time {
	y, m, dd := d.Time().Date()
	return time.Date(y, m, dd, 0, 0, 0, 0, c.london)
}

// read returns the time and the day in London it belongs to. The day is worked
// out once and kept while it lasts.
func (c *clock) read() (time.Time, *day) {
	now := c.now()
	if d := c.today.Load(); d != nil && !now.Before(d.start) && now.Before(d.end) {
		return now, d
	}
	y, m, dd := now.In(c.london).Date()
	d := &day{
		day:   index.DayOf(now.In(c.london)),
		start: time.Date(y, m, dd, 0, 0, 0, 0, c.london),
		end:   time.Date(y, m, dd+1, 0, 0, 0, 0, c.london), // 23 and 25 hours on, when clocks change
	}
	c.today.Store(d)
	return now, d
}
