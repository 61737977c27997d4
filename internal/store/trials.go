package store

import (
	"context"
	"database/sql"
	"time"
)

// BotTrial is a turn that a bot began carefully, since it may have ended a process before. While it
// is there the turn is under way, or ended the process again.
type BotTrial struct {
	ID        string // of the event or the timer
	Partition int
	Tries     int
}

// trialMemory is how long a trial is kept that nobody asks for again, such as one of an application
// that was disconnected meanwhile.
const trialMemory = 7 * 24 * time.Hour

// BotTrials returns all trials.
func (s *Store) BotTrials(ctx context.Context) ([]BotTrial, error) {
	rows, err := s.Query(ctx, `SELECT id, part, tries FROM bot_trials`)
	return Collect(rows, err, func(r *sql.Rows) (BotTrial, error) {
		var t BotTrial
		return t, r.Scan(&t.ID, &t.Partition, &t.Tries)
	})
}

// SaveBotTrial notes that a turn begins.
func (tx *Tx) SaveBotTrial(t BotTrial) error {
	if _, err := tx.Exec(`DELETE FROM bot_trials WHERE at < ?`, Millis(tx.Now().Add(-trialMemory))); err != nil {
		return err
	}
	_, err := tx.Exec(`INSERT INTO bot_trials (id, part, tries, at) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET tries = excluded.tries, at = excluded.at`,
		t.ID, t.Partition, t.Tries, Millis(tx.Now()))
	return err
}

// WithdrawBotTrial takes back that a turn began, unless it was noted anew meanwhile.
func (tx *Tx) WithdrawBotTrial(t BotTrial) error {
	if t.Tries <= 1 {
		_, err := tx.Exec(`DELETE FROM bot_trials WHERE id = ? AND tries = ?`, t.ID, t.Tries)
		return err
	}
	_, err := tx.Exec(`UPDATE bot_trials SET tries = tries - 1 WHERE id = ? AND tries = ?`, t.ID, t.Tries)
	return err
}

// ForgetBotTrial notes that a turn has ended.
func (tx *Tx) ForgetBotTrial(id string) error {
	_, err := tx.Exec(`DELETE FROM bot_trials WHERE id = ?`, id)
	return err
}
