package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

// StepsDue returns messages whose step is to be left by a moment, the longest due first.
func (s *Store) StepsDue(ctx context.Context, now time.Time, limit int) ([]*gateway.Message, error) {
	rows, err := s.Query(ctx, messages.selected+` WHERE step_due > 0 AND step_due <= ? AND status <> 'sending' ORDER BY step_due LIMIT ?`, Millis(now), limit)
	return Collect(rows, err, scanMessage)
}

// NextStepDue returns when the next step after a moment is to be left; zero when none waits.
func (s *Store) NextStepDue(ctx context.Context, after time.Time) (time.Time, error) {
	var at sql.NullInt64
	err := s.QueryRow(ctx, `SELECT MIN(step_due) FROM messages WHERE step_due > 0 AND step_due > ?`, Millis(after)).Scan(&at)
	return FromMillis(at.Int64), err
}

// LateWaiting returns the messages of a conversation that left a step on Messenger which a
// watermark covers, so that its receipt comes late.
func (tx *Tx) LateWaiting(lane gateway.Lane, watermark int64) ([]*gateway.Message, error) {
	rows, err := tx.Query(messages.selected+` WHERE person = ? AND late_mark > 0 AND late_mark <= ? AND app = ?`, lane.Person, watermark, lane.Application)
	return Collect(rows, err, scanMessage)
}

// UpdateSteps writes the whole state of a message, if it is still in the state and at the step that
// it was; false when it is not.
func (tx *Tx) UpdateSteps(m *gateway.Message, from gateway.Status, atStep int) (bool, error) {
	r := &Result{Message: m, From: from, AtStep: atStep}
	err := tx.recordStep(r)
	return r.Applied, err
}
