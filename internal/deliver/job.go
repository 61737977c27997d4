package deliver

import (
	"slices"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/lane"
	"github.com/chasqui/chasqui/internal/store"
)

// job is a message in its lane. All but seq belongs to whoever works on the head of the lane.
type job struct {
	seq     int64
	m       *gateway.Message
	marked  bool           // the mark `sending` is committed: nothing is between the message and its POST
	doubt   *store.Sending // a mark whose commit is not known
	resend  bool           // it is uncertain, and is to be sent again
	waited  bool           // its lane has waited here for proof
	proofBy time.Time      // until when its lane waits for proof; zero when that is not known yet
}

// newJob makes the job of a message. What the outbox hands out is shared with whoever returns the
// caller, so that the job has its own.
func newJob(m *gateway.Message) *job {
	own := *m
	own.Steps = slices.Clone(m.Steps)
	return &job{seq: m.Seq, m: &own}
}

// unproven reports whether the message may have been sent and the answer was lost, so that proof is
// looked for before anything else.
func (j *job) unproven() bool {
	return (j.m.Status == gateway.StatusUncertain || j.m.Status == gateway.StatusSending) && !j.resend
}

// The lines of a page on Messenger: each has its rate, so that a file never holds up a text.
// Messages whose answer was lost wait for neither. On other channels each has its own, whose
// account knows how fast it may go.
const (
	lineText  = gateway.ChannelMessenger
	lineMedia = gateway.ChannelMessenger + " media"
	lineProof = gateway.ChannelMessenger + " proof"
)

// line returns where a lane stands for its head.
func line(_ gateway.Lane, j *job) lane.Line {
	if j.unproven() {
		return lane.Line{Name: lineProof, Pool: lineProof}
	}
	if channel := j.m.Channel(); channel != gateway.ChannelMessenger {
		return lane.Line{Name: channel, Pool: channel}
	}
	_, parts, err := j.m.Content()
	return lineOf(err == nil && j.m.PartsSent < len(parts) && parts[j.m.PartsSent].Media)
}

// lineOf returns the line of texts, or of media; both share the page's places.
func lineOf(media bool) lane.Line {
	if media {
		return lane.Line{Name: lineMedia, Pool: lineText}
	}
	return lane.Line{Name: lineText, Pool: lineText}
}
