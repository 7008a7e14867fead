// The console of an interactive shell: the shell reads it itself, always, and passes on to the job in the foreground
// what is typed for it. A shell without a terminal has none of this: then nothing is ever typed and waiting is just
// waiting.
#pragma once

#include "job.h"
#include "lib/text.h"
#include "shell.h"

// Take the console (0: there is none) as the terminal of this shell.
void terminal_init(struct shell *shell, handle_t console);

// Whether an input stream is the terminal.
bool terminal_is(handle_t handle);

// Whether an output stream is, as far as this shell knows.
bool terminal_shows(handle_t handle);

// The width in characters.
unsigned terminal_width(void);

enum terminal_input { TERMINAL_LINE, TERMINAL_END, TERMINAL_INTERRUPT };

// Let a line be edited; without its newline in `line`.
enum terminal_input terminal_read(const char *prompt, struct text *line);

void terminal_remember(const char *line); // in the history

// A pipe through which typed lines reach a job: give `reader` to it as its input.
struct terminal_feed {
    handle_t reader;
    handle_t writer; // 0 once the input has ended
};

// Open a feed. 0 or an error.
[[nodiscard]] long terminal_feed_open(struct terminal_feed *feed);

// Close it; what the job has not read counts as typed for whoever reads next.
void terminal_feed_close(struct terminal_feed *feed);

// Wait until the job has ended, passing on what is typed (feed may be null: it is kept for later). Ctrl-C ends the job
// and gives true. `kill` false: it only ends the waiting.
bool terminal_follow(struct job *job, struct terminal_feed *feed, bool kill);

// Wait for an event of a handle. True: Ctrl-C came first.
bool terminal_wait(handle_t handle, uint32_t events);

// Whether Ctrl-C has been typed; for loops that do not wait for anything.
bool terminal_interrupted(void);
