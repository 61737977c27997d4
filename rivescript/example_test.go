package rivescript_test

import (
	"context"
	"fmt"

	"github.com/chasqui/chasqui/rivescript"
)

func Example() {
	b, err := rivescript.NewBuilder(rivescript.Options{UTF8: true})
	if err != nil {
		panic(err)
	}
	if err := b.Add("hello.rive", "+ my name is *\n- <set name=<formal>>Hello, <get name>!\n"); err != nil {
		panic(err)
	}
	e, err := b.Build()
	if err != nil {
		panic(err)
	}
	ana := &rivescript.User{ID: "ana"}
	fmt.Println(e.Reply(context.Background(), ana, "My name is Ana.").Text)
	// Output: Hello, Ana!
}

// A reply in Dexter's dialect is several messages with buttons and pauses.
func ExampleReply_Messages() {
	b, err := rivescript.NewBuilder(rivescript.Options{Dialect: rivescript.Dexter})
	if err != nil {
		panic(err)
	}
	if err := b.AddTopic("default.topic", "default", "+ menu\n- Today:<send>Coffee or tea? <delay seconds=2> ^buttons(Coffee, Tea)\n"); err != nil {
		panic(err)
	}
	e, err := b.Build()
	if err != nil {
		panic(err)
	}
	for _, m := range e.Reply(context.Background(), &rivescript.User{}, "menu").Messages() {
		fmt.Println(m.Delay, m.Text, m.Shortcodes)
	}
	// Output:
	// 0s Today: []
	// 0s Coffee or tea? []
	// 2s  [{buttons [Coffee Tea]}]
}
