package gateway

import (
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
)

// DeliveryStatus is the state of a delivery of one event to one forward subscription.
type DeliveryStatus = gatewayapi.DeliveryStatus

// The states of a delivery.
const (
	DeliveryPending   = gatewayapi.DeliveryPending
	DeliveryWaiting   = gatewayapi.DeliveryWaiting
	DeliveryDelivered = gatewayapi.DeliveryDelivered
	DeliveryDead      = gatewayapi.DeliveryDead
)

// Delivery is one event on its way to one forward subscription.
type Delivery struct {
	Subscription string
	Pos          int64 // of the event
	Partition    int
	Lane         Lane
	Status       DeliveryStatus
	DueAt        time.Time // when it is tried next; zero while it waits or is done
	Attempts     []DeliveryAttempt
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// DeliveryAttempt is one POST of a delivery.
type DeliveryAttempt struct {
	At         time.Time `json:"at"`
	DurationMS int64     `json:"durationMs"`
	Status     int       `json:"status,omitempty"` // of HTTP; 0 when no answer came
	Error      string    `json:"error,omitempty"`
	Batch      string    `json:"batch,omitempty"` // identifier of the first event of the list that it went in
}

// deliveryPauses are the pauses after the first tries of a delivery; after them it is tried every
// longDeliveryPause until it is deliveryLife old.
var deliveryPauses = [...]time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour}

const (
	longDeliveryPause = 4 * time.Hour
	deliveryLife      = 24 * time.Hour
)

// DisableAfter is for how long a subscription may do nothing but fail.
const DisableAfter = 5 * 24 * time.Hour

// NextTry returns when a delivery that has just failed is tried again; false when it is dead.
func (d *Delivery) NextTry(now time.Time) (time.Time, bool) {
	pause := longDeliveryPause
	if n := len(d.Attempts); n >= 1 && n <= len(deliveryPauses) {
		pause = deliveryPauses[n-1]
	}
	next := now.Add(pause)
	return next, next.Sub(d.CreatedAt) <= deliveryLife
}
