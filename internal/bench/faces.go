package bench

import (
	"context"
	"encoding/base64"
	"net/http"
	"time"
)

// faceRounds is how often each API has its turn: in turns, so that a machine that slows down slows
// all of them.
const faceRounds = 4

// face is one of the APIs over which messages come.
type face struct {
	name   string
	status int // of success
	target float64
	header http.Header
	path   func(page pageInfo) string
	body   func(page pageInfo, psid, text string) string
}

func faces(key string) []face {
	bearer := http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + key}}
	basic := http.Header{"Content-Type": {"application/json"}, "Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte("bench:"+key))}}
	return []face{
		{"/v1", http.StatusAccepted, 0, bearer, func(pageInfo) string { return "/v1/messages" }, func(page pageInfo, psid, text string) string {
			return `{"application":"` + page.application + `","to":{"fbMessengerId":"` + psid + `"},"body":"` + text + `"}`
		}},
		{"Comapi's API", http.StatusCreated, 1.15, bearer, func(page pageInfo) string { return "/apispaces/" + page.application + "/messages" }, func(_ pageInfo, psid, text string) string {
			return `{"to":{"fbMessengerId":"` + psid + `"},"body":"` + text + `","rules":["fbMessenger"]}`
		}},
		{"Infobip's API", http.StatusOK, 1.15, basic, func(pageInfo) string { return "/facebook/1/single" }, func(page pageInfo, psid, text string) string {
			return `{"from":"` + page.application + `","to":"` + psid + `","text":"` + text + `"}`
		}},
	}
}

// Faces measures what the APIs that people come from cost beside the gateway's own: the CPU time of
// the gateway for a message, from request to platform.
func Faces(ctx context.Context, o Options) (Report, error) {
	r := Report{Bench: "faces", Machine: Machine(), Store: storeName(o)}
	s, err := open(ctx, o, outboundPages, "--limits-text-per-second", "1000000")
	if err != nil {
		return r, err
	}
	defer s.close()
	all := faces(s.key)
	took, spent, cpu := make([]latencies, len(all)), make([]time.Duration, len(all)), make([]time.Duration, len(all))
	runs := make([]Run, len(all))
	total := 0
	for round := range faceRounds {
		for i, f := range all {
			o.say("round %d of %d: %s", round+1, faceRounds, f.name)
			before, _ := s.gateway.usage()
			began := time.Now()
			got, failed, _ := closedLoop(ctx, o.Connections, o.Duration/faceRounds, f.status, s.faceRequests(f, round*len(all)+i))
			spent[i] += time.Since(began)
			total += len(got)
			if _, err := s.arrived(ctx, total); err != nil {
				return r, err
			}
			after, peak := s.gateway.usage()
			took[i], cpu[i] = append(took[i], got...), cpu[i]+after-before
			runs[i].Errors += failed
			runs[i].PeakMiB = float64(peak) / (1 << 20)
		}
	}
	report, err := s.arrived(ctx, total)
	if err != nil {
		return r, err
	}
	wrong := report.Duplicated + report.Inverted + max(0, total-(report.Received-report.Duplicated))
	for i, f := range all {
		peak := int64(runs[i].PeakMiB * (1 << 20))
		runs[i].Name = f.name
		runs[i].finish(took[i], spent[i], cpu[i], peak)
		wrong += runs[i].Errors
		if i > 0 {
			ratio := runs[i].CPUMicros / runs[0].CPUMicros
			r.figure("gateway CPU a message over "+f.name+", to /v1", ratio, "", "<= 1.15", ratio <= f.target)
		}
	}
	r.Runs = runs
	r.figure("lost, doubled, inverted or refused", float64(wrong), "", "0", wrong == 0)
	return r, nil
}

// faceRequests makes the requests of one turn, which has people of its own.
func (s *session) faceRequests(f face, turn int) func(connection, n int) *http.Request {
	templates := make([]*http.Request, len(s.pages))
	for i, page := range s.pages {
		templates[i] = template(s.gateway.url + f.path(page))
	}
	return func(connection, n int) *http.Request {
		page, t := s.pages[connection%len(s.pages)], templates[connection%len(s.pages)]
		person := (turn*s.o.Connections+connection)*peoplePerConnection + n%peoplePerConnection
		return post(t, []byte(f.body(page, psid(person), Text(person, n/peoplePerConnection))), f.header)
	}
}
