package qr

import (
	"image"
	"image/color"
)

// tint is the pixels of nearly one colour: how many, and the sums of their
// channels, of which the first three are multiplied by alpha.
type tint struct {
	count int
	sum   [4]int
	box   int
}

func (t *tint) mean(channel int) int { return t.sum[channel] / t.count }

// quantise chooses at most so many colours for a picture, and answers them with
// the number of each pixel's.
func quantise(img *image.RGBA, colours int) ([]color.NRGBA, []uint8) {
	tints, of := gather(img)
	boxes := divide(tints, colours)
	palette := make([]color.NRGBA, len(boxes))
	for i, box := range boxes {
		var all tint
		for _, t := range box.tints {
			t.box = i
			all.count += t.count
			for ch, v := range t.sum {
				all.sum[ch] += v
			}
		}
		c := color.RGBA{uint8(all.mean(0)), uint8(all.mean(1)), uint8(all.mean(2)), uint8(all.mean(3))}
		palette[i] = color.NRGBAModel.Convert(c).(color.NRGBA)
	}
	pixels := make([]uint8, len(of))
	for i, n := range of {
		pixels[i] = uint8(tints[n].box)
	}
	return palette, pixels
}

// gather counts colours as one whose channels differ only in their lowest three
// bits, and answers for each pixel which it has.
func gather(img *image.RGBA) ([]tint, []uint32) {
	known := make([]uint32, 1<<17) // number of the tint, and one
	var tints []tint
	of := make([]uint32, len(img.Pix)/4)
	for i := range of {
		p := img.Pix[i*4 : i*4+4]
		key := int(p[0])>>3<<12 | int(p[1])>>3<<7 | int(p[2])>>3<<2
		switch p[3] {
		case 0:
		case 255:
			key |= 3
		default:
			key |= 1 + int(p[3])>>7
		}
		n := known[key]
		if n == 0 {
			tints = append(tints, tint{})
			n = uint32(len(tints))
			known[key] = n
		}
		of[i] = n - 1
		t := &tints[n-1]
		t.count++
		for ch, v := range p {
			t.sum[ch] += int(v)
		}
	}
	return tints, of
}

// tintBox is a part of the space of colours.
type tintBox struct {
	tints  []*tint
	widest int // the channel to divide it by
	weight int // what dividing it gains; 0 when it holds one tint
}

// divide cuts the box of all tints in two, and again the one that gains most,
// until there are enough.
func divide(tints []tint, enough int) []tintBox {
	all := make([]*tint, len(tints))
	for i := range tints {
		all[i] = &tints[i]
	}
	boxes := []tintBox{measure(all)}
	for len(boxes) < enough {
		best := 0
		for i := range boxes {
			if boxes[i].weight > boxes[best].weight {
				best = i
			}
		}
		box := boxes[best]
		if box.weight == 0 {
			break
		}
		count, sum := 0, 0
		for _, t := range box.tints {
			count, sum = count+t.count, sum+t.mean(box.widest)*t.count
		}
		// Those up to the mean go to the front: neither part is empty, for they differ in this
		// channel.
		front := 0
		for i, t := range box.tints {
			if t.mean(box.widest) <= sum/count {
				box.tints[front], box.tints[i] = box.tints[i], box.tints[front]
				front++
			}
		}
		boxes[best] = measure(box.tints[:front])
		boxes = append(boxes, measure(box.tints[front:]))
	}
	return boxes
}

// measure finds the channel in which the tints of a box differ most.
func measure(tints []*tint) tintBox {
	box := tintBox{tints: tints}
	low, high, count := [4]int{255, 255, 255, 255}, [4]int{}, 0
	for _, t := range tints {
		count += t.count
		for ch := range 4 {
			v := t.mean(ch)
			low[ch], high[ch] = min(low[ch], v), max(high[ch], v)
		}
	}
	for ch := range 4 {
		if high[ch]-low[ch] > high[box.widest]-low[box.widest] {
			box.widest = ch
		}
	}
	spread := high[box.widest] - low[box.widest]
	box.weight = spread * spread * count
	return box
}
