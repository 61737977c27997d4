package qr

import "math"

// point is a place in modules, from the symbol's upper left corner.
type point struct{ x, y float64 }

// Steps of a path, with how many points each takes.
const (
	stepMove  = iota // 1
	stepLine         // 1
	stepCurve        // 3, a cubic Bézier curve
	stepClose        // 0
)

// path is an outline of areas, to be filled by the non-zero rule: holes run the
// other way round.
type path struct {
	steps  []uint8
	points []point
}

func (p *path) move(a point) { p.steps, p.points = append(p.steps, stepMove), append(p.points, a) }
func (p *path) line(a point) { p.steps, p.points = append(p.steps, stepLine), append(p.points, a) }
func (p *path) close()       { p.steps = append(p.steps, stepClose) }

func (p *path) curve(a, b, c point) {
	p.steps, p.points = append(p.steps, stepCurve), append(p.points, a, b, c)
}

// kappa is how far along its tangents the handles of a curve stand that makes a
// quarter of a circle.
const kappa = 0.5522847498

// corner goes round a corner at c, from a to b. It never begins a path.
func (p *path) corner(a, c, b point) {
	if last := p.points[len(p.points)-1]; math.Abs(last.x-a.x)+math.Abs(last.y-a.y) > 1e-9 {
		p.line(a)
	}
	p.curve(toward(a, c, kappa), toward(b, c, kappa), b)
}

func toward(a, b point, part float64) point {
	return point{a.x + (b.x-a.x)*part, a.y + (b.y-a.y)*part}
}

// box outlines a square with round corners of radius r; a hole the other way.
func (p *path) box(at point, side, r float64, hole bool) {
	corners := []point{at, {at.x + side, at.y}, {at.x + side, at.y + side}, {at.x, at.y + side}}
	if hole {
		corners[1], corners[3] = corners[3], corners[1]
	}
	part := r / side
	p.move(toward(corners[0], corners[1], part))
	for i := range corners {
		a, c, b := corners[i], corners[(i+1)%4], corners[(i+2)%4]
		p.corner(toward(c, a, part), c, toward(c, b, part))
	}
	p.close()
}

// band outlines a band along a circle from one angle to another, in radians,
// with round ends.
func (p *path) band(centre point, radius, width, from, to float64) {
	p.move(onCircle(centre, radius+width/2, from))
	p.arc(centre, radius+width/2, from, to)
	p.arc(onCircle(centre, radius, to), width/2, to, to+math.Pi)
	p.arc(centre, radius-width/2, to, from)
	p.arc(onCircle(centre, radius, from), width/2, from+math.Pi, from+2*math.Pi)
	p.close()
}

func onCircle(centre point, radius, angle float64) point {
	return point{centre.x + radius*math.Cos(angle), centre.y + radius*math.Sin(angle)}
}

// arc goes along a circle, in curves of an eighth of it at most.
func (p *path) arc(centre point, radius, from, to float64) {
	parts := max(1, int(math.Ceil(math.Abs(to-from)/(math.Pi/4))))
	step := (to - from) / float64(parts)
	handle := 4.0 / 3 * math.Tan(step/4) * radius
	for i := range parts {
		a, b := from+float64(i)*step, from+float64(i+1)*step
		start, end := onCircle(centre, radius, a), onCircle(centre, radius, b)
		p.curve(point{start.x - handle*math.Sin(a), start.y + handle*math.Cos(a)},
			point{end.x + handle*math.Sin(b), end.y - handle*math.Cos(b)}, end)
	}
}

// pen is what a path is drawn with: a rasteriser, an SVG path or a PDF page.
type pen interface {
	move(a point)
	line(a point)
	curve(a, b, c point)
	close()
}

// draw repeats the path with a pen, each point put to its place.
func (p *path) draw(with pen, place func(point) point) {
	at := p.points
	for _, step := range p.steps {
		switch step {
		case stepMove:
			with.move(place(at[0]))
			at = at[1:]
		case stepLine:
			with.line(place(at[0]))
			at = at[1:]
		case stepCurve:
			with.curve(place(at[0]), place(at[1]), place(at[2]))
			at = at[3:]
		case stepClose:
			with.close()
		}
	}
}
