package store

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/gateway"
)

// messages is the outbox. What a new message has no word for yet is left out of its INSERT: that
// many columns less are bound for each that is accepted.
var messages = newTable("messages",
	plain("seq", func(m *gateway.Message) *int64 { return &m.Seq }),
	plain("id", func(m *gateway.Message) *string { return &m.ID }),
	plain("part", func(m *gateway.Message) *int { return &m.Partition }),
	plain("app", func(m *gateway.Message) *string { return &m.Application }),
	plain("person", func(m *gateway.Message) *string { return &m.Person }),
	plain("profile", func(m *gateway.Message) *string { return &m.ProfileID }),
	plain("api_key", func(m *gateway.Message) *string { return &m.APIKey }),
	word("status", func(m *gateway.Message) *gateway.Status { return &m.Status }),
	written("open", func(m *gateway.Message) any { return flag(m.Status.Open()) }),
	blob("request", func(m *gateway.Message) *json.RawMessage { return &m.Request }),
	plain("origin", func(m *gateway.Message) *string { return &m.Origin.Dialect }),
	blob("origin_data", func(m *gateway.Message) *json.RawMessage { return &m.Origin.Data }),
	plain("parts", func(m *gateway.Message) *int { return &m.Parts }),
	plain("parts_sent", func(m *gateway.Message) *int { return &m.PartsSent }).later(),
	plain("echoed", func(m *gateway.Message) *int64 { return &m.Echoed }).later(),
	plain("mid", func(m *gateway.Message) *string { return &m.MID }).later(),
	document("attempts", encodeAttempts, func(m *gateway.Message) *[]gateway.Attempt { return &m.Attempts }).later(),
	plain("epoch", func(m *gateway.Message) *int64 { return &m.Epoch }),
	moment("due_at", func(m *gateway.Message) *time.Time { return &m.DueAt }),
	moment("accepted_at", func(m *gateway.Message) *time.Time { return &m.AcceptedAt }),
	moment("expires_at", func(m *gateway.Message) *time.Time { return &m.ExpiresAt }),
	moment("sending_at", func(m *gateway.Message) *time.Time { return &m.SendingAt }),
	moment("mark_at", func(m *gateway.Message) *time.Time { return &m.MarkAt }).later(),
	moment("sent_at", func(m *gateway.Message) *time.Time { return &m.SentAt }).later(),
	moment("delivered_at", func(m *gateway.Message) *time.Time { return &m.DeliveredAt }).later(),
	moment("read_at", func(m *gateway.Message) *time.Time { return &m.ReadAt }).later(),
	moment("ended_at", func(m *gateway.Message) *time.Time { return &m.EndedAt }),
	moment("updated_at", func(m *gateway.Message) *time.Time { return &m.UpdatedAt }),
	document("error", func(m *gateway.Message) string { return encodeFailure(m.Error) }, func(m *gateway.Message) **gateway.Failure { return &m.Error }),
	truth("late", func(m *gateway.Message) *bool { return &m.Late }).later(),
	truth("resent", func(m *gateway.Message) *bool { return &m.Resent }).later(),
	document("steps", func(m *gateway.Message) string { return gateway.EncodeSteps(m.Steps) }, func(m *gateway.Message) *[]gateway.Step { return &m.Steps }),
	plain("step", func(m *gateway.Message) *int { return &m.Step }),
	moment("step_due", func(m *gateway.Message) *time.Time { return &m.StepDue }),
	plain("late_mark", func(m *gateway.Message) *int64 { return &m.LateMark }).later(),
)

func scanMessage(rows *sql.Rows) (*gateway.Message, error) {
	var m gateway.Message
	if err := messages.scan(rows, &m); err != nil {
		return nil, fmt.Errorf("read message %s: %w", m.ID, err)
	}
	if len(m.Attempts) == 0 && m.PartsSent == 1 && m.Parts == 1 && !m.SentAt.IsZero() {
		m.Attempts = []gateway.Attempt{firstAttempt(&m)}
	}
	return &m, nil
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// encodeAttempts writes the attempts of a message. The commonest history, one part sent at the
// first try, is nothing but what other columns say: it is left out, which keeps rows from growing
// when their messages are sent.
func encodeAttempts(m *gateway.Message) string {
	if len(m.Attempts) == 0 || sentAtOnce(m) {
		return ""
	}
	return string(data(m.Attempts))
}

func sentAtOnce(m *gateway.Message) bool {
	if len(m.Attempts) != 1 || m.Parts != 1 || m.PartsSent != 1 || m.Resent || m.Error != nil {
		return false
	}
	return m.Attempts[0] == firstAttempt(m)
}

// firstAttempt is the attempt of a message that was sent at the first try.
func firstAttempt(m *gateway.Message) gateway.Attempt {
	return gateway.Attempt{
		Number: 1, Channel: gateway.ChannelMessenger, Part: 1, StartedAt: gatewayapi.At(millisOf(m.SendingAt)), EndedAt: gatewayapi.At(millisOf(m.SentAt)), Outcome: gatewayapi.AttemptSent, PlatformMessageID: m.MID,
	}
}

// millisOf is a time as the tables hold it.
func millisOf(t time.Time) time.Time { return FromMillis(Millis(t)) }

func encodeFailure(f *gateway.Failure) string {
	if f == nil {
		return ""
	}
	return string(data(f))
}
