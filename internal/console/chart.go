package console

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service"
)

// figures are what came of something.
type figures struct {
	Visits, Scans, Opens, First, Returning, FirstMessages, Answered, Goals int64
	Value                                                                  float64
}

func figuresOf(row *service.ReportRow) (f figures) {
	if row == nil {
		return f
	}
	n := row.Counts
	f = figures{
		Visits: n[gateway.MetricVisits], Scans: n[gateway.MetricScans], Opens: n[gateway.MetricOpens], First: n[gateway.MetricFirst],
		Returning: n[gateway.MetricReturning], FirstMessages: n[gateway.MetricFirstMessages], Answered: n[gateway.MetricAnswered],
	}
	for _, g := range row.Goals {
		f.Goals += g.Count
		f.Value += g.Value
	}
	return f
}

// dayFigures are those of one day.
type dayFigures struct {
	Day time.Time // its midnight
	figures
}

// step is one bar of a funnel.
type step struct {
	Name, Class string
	N           int64
	Width       float64 // in percent of the longest
}

// funnel shows how many come through from the code to the goal. Who comes is answered by the bot
// before they write anything, so that comes first.
func funnel(f figures) []step {
	steps := []step{
		{Name: "Visits", Class: "visits", N: f.Visits}, {Name: "Opens in Messenger", Class: "opens", N: f.Opens}, {Name: "First contacts", Class: "contacts", N: f.First},
		{Name: "Answered", Class: "answered", N: f.Answered}, {Name: "First messages", Class: "messages", N: f.FirstMessages}, {Name: "Goals", Class: "goals", N: f.Goals},
	}
	var most int64 = 1
	for _, s := range steps {
		most = max(most, s.N)
	}
	for i := range steps {
		steps[i].Width = float64(steps[i].N) / float64(most) * 100
	}
	return steps
}

// chart is a picture of days with its coordinates worked out; a template draws it.
type chart struct {
	Class         string // wide or narrow: which screens show it
	Width, Height float64
	Left, Right   float64 // of the plot
	Top, Bottom   float64
	Ticks         []mark // on the scale
	Dates         []mark // below
	Series        []series
	Columns       []column
	Alternative   string
}

type mark struct {
	At   float64
	Text string
}

type series struct {
	Class, Line, Area string
	Dots              []point
}

type point struct{ X, Y float64 }

// column is the strip of a day, which says its figures under the pointer.
type column struct {
	X, Width, Middle float64
	Title            string
}

const maxDots = 31 // days with a dot on each; more would hide the line

// newChart lays out visits, first contacts and goals by day.
func newChart(class string, width, height float64, dates int, days []dayFigures) chart {
	c := chart{Class: class, Width: width, Height: height, Left: 44, Right: width - 12, Top: 14, Bottom: height - 28}
	var most int64
	for _, d := range days {
		most = max(most, d.Visits, d.First, d.Goals)
	}
	top, by := scale(most)
	y := func(n int64) float64 { return c.Bottom - (c.Bottom-c.Top)*float64(n)/float64(top) }
	for n := int64(0); n <= top; n += by {
		c.Ticks = append(c.Ticks, mark{y(n), number(n)})
	}
	wide := (c.Right - c.Left) / float64(len(days))
	every := (len(days) + dates - 1) / dates
	for i, d := range days {
		middle := c.Left + wide*(float64(i)+.5)
		c.Columns = append(c.Columns, column{c.Left + wide*float64(i), wide, middle,
			fmt.Sprintf("%s: %s visits, %s first contacts, %s goals", d.Day.Format("Mon 2 Jan"), number(d.Visits), number(d.First), number(d.Goals))})
		if (len(days)-1-i)%every == 0 {
			c.Dates = append(c.Dates, mark{middle, d.Day.Format("2 Jan")})
		}
	}
	of := func(class string, value func(dayFigures) int64) series {
		s := series{Class: class}
		var line strings.Builder
		for i, d := range days {
			x, at := c.Columns[i].Middle, y(value(d))
			fmt.Fprintf(&line, "%s%.1f %.1f", map[bool]string{true: "M", false: "L"}[i == 0], x, at)
			if len(days) <= maxDots {
				s.Dots = append(s.Dots, point{x, at})
			}
		}
		s.Line = line.String()
		s.Area = fmt.Sprintf("%sL%.1f %.1fL%.1f %.1fZ", s.Line, c.Columns[len(days)-1].Middle, c.Bottom, c.Columns[0].Middle, c.Bottom)
		return s
	}
	c.Series = []series{
		of("visits", func(d dayFigures) int64 { return d.Visits }), of("contacts", func(d dayFigures) int64 { return d.First }), of("goals", func(d dayFigures) int64 { return d.Goals }),
	}
	c.Alternative = fmt.Sprintf("Visits, first contacts and goals by day from %s to %s; the table below has the figures.", days[0].Day.Format("2 Jan"), days[len(days)-1].Day.Format("2 Jan"))
	return c
}

// scale returns the top of a scale for values up to most, and the step between its marks: 1, 2 or 5
// times a power of ten, four or five of them.
func scale(most int64) (top, by int64) {
	most = max(most, 4)
	raw := float64(most) / 4
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 5, 10} {
		if by = int64(m * power); float64(by) >= raw && by > 0 {
			break
		}
	}
	return (most + by - 1) / by * by, by
}
