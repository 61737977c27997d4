package js

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// The program and a worker talk in frames over two pipes: four bytes of length, the least first,
// and that many bytes of JSON. One side speaks at a time. The program asks for a macro to be
// compiled or run; until the worker is done it may ask in turn for what rs offers, and while it
// waits for the reply to a text it may be asked to run another macro.
const (
	maxToWorker   = 8 << 20
	maxFromWorker = 1 << 20
)

// kind says what a frame is.
type kind string

const (
	kindReady kind = "ready" // worker: it has limited itself
	kindCheck kind = "check" // program: compile
	kindCall  kind = "call"  // program: run
	kindValue kind = "value" // program: the answer to what the worker asked
	kindDone  kind = "done"  // worker: compiled or run; Error says that it was not
	kindNeed  kind = "need"  // worker: the source of the macro, which it does not know
	kindGet   kind = "get"   // worker: a variable of the person
	kindVars  kind = "vars"  // worker: all of them
	kindSet   kind = "set"   // worker: set and forget them
	kindBot   kind = "bot"   // worker: a variable of the bot
	kindBots  kind = "bots"  // worker: set it
	kindReply kind = "reply" // worker: what the engine says to a text
)

// frame is what goes over the pipes; which fields it has depends on its kind.
type frame struct {
	Kind    kind               `json:"k"`
	Name    string             `json:"n,omitempty"` // of a macro or a variable
	Text    string             `json:"t,omitempty"`
	Error   string             `json:"e,omitempty"`
	Missing bool               `json:"m,omitempty"` // there is no such variable
	Limited bool               `json:"l,omitempty"` // of ready: its address space is limited
	Hash    string             `json:"h,omitempty"` // of the macro's source
	User    string             `json:"u,omitempty"`
	Args    []string           `json:"a,omitempty"`
	Data    json.RawMessage    `json:"d,omitempty"`
	Vars    map[string]*string `json:"v,omitempty"`
	Micros  int64              `json:"us,omitempty"` // that the turn has left
}

// writeFrame sends a frame.
func writeFrame(w io.Writer, f *frame, most int) error {
	body, err := json.Marshal(f)
	if err != nil {
		return err
	}
	if len(body) > most {
		return errFrame
	}
	b := make([]byte, 4, 4+len(body))
	binary.LittleEndian.PutUint32(b, uint32(len(body)))
	_, err = w.Write(append(b, body...))
	return err
}

var errFrame = errors.New("it hands over too much at once")

// readFrame reads a frame of at most so many bytes. Nothing is allocated for a longer one.
func readFrame(r io.Reader, most int) (*frame, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint32(head[:])
	if n > uint32(most) {
		return nil, fmt.Errorf("a frame of %d bytes", n)
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, err
	}
	f := new(frame)
	if err := json.Unmarshal(body, f); err != nil {
		return nil, fmt.Errorf("a frame that is none: %w", err)
	}
	return f, nil
}
