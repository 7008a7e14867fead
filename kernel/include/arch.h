// The architecture seam: everything that the neutral core may ask of a port, and nothing else. A port implements this
// header, which it may not edit; a function that is used but missing does not link. The upward direction, what a port
// asks of the core, is trap.h and kernel_main below.
//
// Unless a line says otherwise: called with interrupts off, on any CPU, with the kernel lock held; does not fail; does
// not sleep; is bounded.
//
// Each port provides <arch_types.h> with:
//   struct arch_frame   user registers of a thread at kernel entry, minimal or full (one flag tells which)
//   struct arch_thread  what else belongs to a thread (vector state); zero-filled means fresh
//   struct arch_space   page-table root, address-space identifier, which CPUs may cache translations
//   struct arch_cpu     per-CPU data of the port
//   ARCH_NAME           "x86_64", …
//   ARCH_ELF_MACHINE    e_machine of the executables it runs
//   ARCH_USER_BASE      lowest user address that may be mapped (above 0: null pointers fault)
//   ARCH_USER_TOP       first address above user space
//   static inline struct cpu *arch_cpu_current(void)
//   ARCH_CPU_FIELD(type, field)  arch_cpu_current()->field, as cheaply as the machine can; type is struct cpu
//
// The port finds its part of the core's objects at fixed places, asserted in thread.h and cpu.h, so that entry code needs
// no other offset of the core:
//   struct thread { …; uint16_t holds; struct arch_frame frame; struct arch_thread arch; … };
//                                                                  frame at THREAD_FRAME_OFFSET, the others around it
//   struct cpu    { struct arch_cpu arch; struct thread *current; struct space *space; … };  at 0, the others behind it
//   struct space  { struct arch_space arch; … };                                at 0
#pragma once

#include <arch_types.h>

#include "base/types.h"

#include "fast_path.h"

struct cpu;
struct thread;

typedef uint64_t paddr_t;

#define CPU_CURRENT_OFFSET sizeof(struct arch_cpu) // bytes from a struct cpu to the thread whose frame entries fill
#define CPU_SPACE_OFFSET   (sizeof(struct arch_cpu) + sizeof(struct thread *)) // to its space

enum { THREAD_FRAME_OFFSET = 256 }; // bytes from a struct thread to its frame; threads are 16-byte aligned

// What keeps the fast paths from a thread (fast_path.h): what stands right before the frame. The port sets HOLD_STATE in that
// of a thread for which arch_thread_switch would have something to do, and never takes it back.
enum { HOLD_ENDING = 1, HOLD_TIMED = 2, HOLD_STATE = 4, HOLD_ROOM = 8, HOLD_TURN = 16 };
static inline uint16_t *arch_thread_holds(struct thread *thread) {
    return (uint16_t *)((char *)thread + THREAD_FRAME_OFFSET - sizeof(uint16_t));
}

// ---- boot ------------------------------------------------------------------------------------------------------------

enum { BOOT_RANGES_MAX = 64, BOOT_ARCHIVES_MAX = 4, BOOT_COMMAND_LINE_MAX = 512 };

struct boot_range {
    paddr_t base; // page-aligned
    uint64_t size;
};

// The common boot record: whatever the firmware and loader were, the port fills this in (PORT-3, 4, 5).
struct boot_info {
    const char *loader;                       // "pvh", "multiboot2", "device tree", "host"
    char command_line[BOOT_COMMAND_LINE_MAX]; // zero-terminated, truncated if longer
    unsigned range_count;                     // RAM usable by the core: the firmware's map, sorted, merged, clipped
    struct boot_range range[BOOT_RANGES_MAX]; //   to pages, minus the kernel image, archives and boot structures
    unsigned archive_count;                   // initial archives (cpio newc), in load order, not necessarily aligned
    struct boot_range archive[BOOT_ARCHIVES_MAX];
    uint64_t mapped_limit; // physical addresses below this are already in the direct map
    uint64_t memory_total; // all RAM the firmware reported, bytes
};

// Core entry points that a port calls at boot, each on its CPU's kernel stack, interrupts off, no lock held.
// kernel_main runs on the boot CPU and returns when the system is ready to schedule; the port then enters its idle loop
// (see trap.h). kernel_main_secondary does the same on each further CPU.
void kernel_main(const struct boot_info *boot);
void kernel_main_secondary(unsigned cpu_index);
// The machine lacks something: say so (a line) and stop. At any time before, the console being initialised or absent.
[[noreturn]] void kernel_refuse(const char *why);

// Extend the direct map to all of boot->range. Takes page-table pages from page_alloc (memory below mapped_limit is
// available by then). ERR_NO_MEMORY. Boot CPU only.
[[nodiscard]] status_t arch_direct_map_extend(const struct boot_info *boot);

// The direct map: valid for any RAM address once it is extended.
static inline void *arch_phys_to_virt(paddr_t address);
static inline paddr_t arch_virt_to_phys(const void *pointer); // of the direct map or the kernel image

// ---- console: the port's first serial line, raw bytes. Also callable without the lock (panic). -----------------------

// Hand the line as many of these bytes as it takes without waiting: how many. Where there is no line, all.
[[nodiscard]] size_t arch_console_put(const char *text, size_t length);
bool arch_console_sent(void);   // whether all of them have left the machine
int arch_console_read(void);    // next received byte, or -1
void arch_console_enable(void); // from now on received bytes cause trap_console on some CPU

// ---- CPUs ------------------------------------------------------------------------------------------------------------

enum { CPU_MAX = 64 };

unsigned arch_cpu_count(void); // CPUs the firmware reports, 1 to CPU_MAX; index 0 is the boot CPU
// Start that CPU on a kernel stack of the port's own, guarded below. ERR_NO_MEMORY; ERR_NO_DEVICE: it did not answer.
[[nodiscard]] status_t arch_cpu_start(unsigned index, struct cpu *cpu);
void arch_cpu_attach(struct cpu *cpu); // make arch_cpu_current() on this CPU return cpu (boot CPU, once)
// Make that CPU enter trap_ipi. When it does, it sees all that this CPU wrote before.
void arch_cpu_ipi(unsigned index);
static inline void arch_cpu_relax(void); // in spin loops
// Rest in a long spin: until arch_cpu_ipi of this CPU, called since interrupts were last on here, has been answered by
// trap_ipi; may return at any time. Other interrupts stay pending. No lock needed.
void arch_cpu_rest(void);
[[noreturn]] void arch_cpu_stop(void);                               // halt this CPU for good
void arch_cpu_describe(unsigned index, char *text, size_t capacity); // one line for /kern/cpus: hardware id, model

// ---- power -----------------------------------------------------------------------------------------------------------

[[noreturn]] void arch_power_off(unsigned status); // status reaches the emulator where it can take one
[[noreturn]] void arch_power_panic(void);          // stop everything with the distinct panic status
[[noreturn]] void arch_power_reset(void);

// ---- time: nanoseconds since boot, monotonic over CPUs. No lock needed. ----------------------------------------------

uint64_t arch_time_now(void);
// The same clock in the machine's own ticks: cheaper to read. Monotonic over CPUs; 0 is not boot.
static inline uint64_t arch_stamp(void);
uint64_t arch_stamp_time(uint64_t stamp); // nanoseconds since boot
uint64_t arch_ticks_time(uint64_t ticks); // a number of ticks in nanoseconds
void arch_timer_arm(
    uint64_t deadline); // trap_timer on this CPU at or soon after; UINT64_MAX disarms; replaces the last

// ---- address spaces --------------------------------------------------------------------------------------------------

enum { ARCH_PROT_READ = 1, ARCH_PROT_WRITE = 2, ARCH_PROT_EXEC = 4 }; // values of PROT_*; never WRITE and EXEC together

[[nodiscard]] status_t arch_space_create(struct arch_space *space); // ERR_NO_MEMORY
// Return the page-table pages, as far as *budget goes, the units of which are those of a slice: about 100 instructions,
// looking at entries in vain included. True when all are gone. No CPU uses the space any more. Mapped
// pages themselves are the core's. A space is destroyed by repeating this until it says true.
[[nodiscard]] bool arch_space_destroy(struct arch_space *space, unsigned *budget);
// Map one page. Nothing may be mapped there. ERR_NO_MEMORY (page-table page).
[[nodiscard]] status_t arch_space_map(struct arch_space *space, uint64_t va, paddr_t page, unsigned protection);
// Take one page out; false if nothing was mapped. Does not flush: the core does, by tlb.h, before the page is reused.
bool arch_space_unmap(struct arch_space *space, uint64_t va);
bool arch_space_query(const struct arch_space *space, uint64_t va, paddr_t *page, unsigned *protection);
void arch_space_switch(struct arch_space *space); // null: the kernel's own
// Which CPUs must flush before translations of this space are surely gone: bit i, CPU i is running in it now. CPUs that
// merely may cache some are made to flush at their next switch to it. A port whose arch_tlb_flush reaches all CPUs names
// the calling one, wherever that is running.
uint64_t arch_space_stale(struct arch_space *space);
// On this CPU, which arch_space_stale has named: walks from now on find the tables as they are. No lock needed.
void arch_tlb_flush(struct arch_space *space, uint64_t va, uint64_t pages);

// ---- user memory: the addresses are checked to lie in user space, but may be unmapped. Runs in that address space. ----
// Return false on a fault, having copied some prefix.

[[nodiscard]] bool arch_user_copy_in(void *to, uint64_t from, size_t length);
[[nodiscard]] bool arch_user_copy_out(uint64_t to, const void *from, size_t length);

// ---- threads and their frames ----------------------------------------------------------------------------------------

void arch_frame_init(struct arch_frame *frame, uint64_t entry, uint64_t stack, uint64_t argument);
// The call that a frame made: number and arguments.
static inline uint64_t arch_frame_call(const struct arch_frame *frame, uint64_t arg[6]);
// Make it hold that call, as the thread's own registers would (fast_path.h): its number, an argument from 0 to 5.
static inline void arch_frame_number(struct arch_frame *frame, uint64_t number);
static inline void arch_frame_argument(struct arch_frame *frame, unsigned index, uint64_t value);
// The four message words.
static inline uint64_t *arch_frame_message(struct arch_frame *frame);
// The answer: status and four further words; every other register that the ABI does not keep becomes zero.
static inline void arch_frame_answer(struct arch_frame *frame, int64_t status, const uint64_t word[4]);
// Have a call made again: the thread goes on with the instruction that made it, and all that this takes. The frame is that
// of the call under way, not answered; it is none of a call's from here on (arch_frame_is_call).
void arch_frame_again(struct arch_frame *frame);
// Switch vector state and the like; null for none (idle). Called when this CPU's current thread changes.
void arch_thread_switch(struct thread *from, struct thread *to);
void arch_thread_destroy(struct arch_thread *thread); // free what arch_thread holds

uint64_t arch_frame_pc(const struct arch_frame *frame);
// Name and value of the index-th register in the frame of a fault, for its report; null: there are no more.
const char *arch_frame_register(const struct arch_frame *frame, unsigned index, uint64_t *value);
// The frame pointer there; and what a function with the frame pointer `at` has kept: its caller's, then the return address.
// False: that cannot be read, or is not on the side of the address space where the frame's pc is. User code must not make the
// kernel read its own memory here. In the address space of the thread.
uint64_t arch_frame_pointer(const struct arch_frame *frame);
[[nodiscard]] bool arch_frame_link(const struct arch_frame *frame, uint64_t at, uint64_t link[2]);

// ---- fast paths (fast_path.h) ---------------------------------------------------------------------------------------------

// Go on with the general path: a fast path's last step, with the arguments it got, after arch_frame_number.
struct fast_answer arch_fast_leave(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5);
// The ends of a fast path, with the lock given back. Arguments without a name are for any value (fast_any).
//
// The caller itself goes on, with this answer: status and first result.
struct fast_answer arch_fast_stay_exit(uint64_t word, uint64_t status, uint64_t, uint64_t self, uint64_t, uint64_t);
static inline uint64_t arch_fast_stay(struct thread *self); // what that takes for `self`
// The same with four results. Which argument is what, the port says: ARCH_FAST_WORDS(status, word0, word1, word2, word3,
// self) is their list.
struct fast_answer arch_fast_words_exit(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);
// The same two after calls of C functions, which do not leave alone what those two rely on.
struct fast_answer arch_fast_called_exit(uint64_t word, uint64_t status, uint64_t, uint64_t self, uint64_t, uint64_t);
struct fast_answer arch_fast_called_words_exit(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);
// arch_user_copy_in and arch_user_copy_out for at most MESSAGE_MAX bytes, without a call: `va` is any address, one that is
// not a user's fails too; the kernel's side is aligned to a word.
[[nodiscard]] static inline bool arch_fast_copy_in(void *to, uint64_t va, size_t length);
[[nodiscard]] static inline bool arch_fast_copy_out(uint64_t va, const void *from, size_t length);
// The same for more than a few words: by a call, which leaves what a fast path keeps in registers there as far as may be.
[[nodiscard]] static inline bool arch_fast_bulk_in(void *to, uint64_t from, size_t length);
[[nodiscard]] static inline bool arch_fast_bulk_out(uint64_t to, const void *from, size_t length);
static inline uint64_t arch_fast_width(uint64_t word); // how many bits a number below 2^63 has, in few instructions
// `to`, whose frame is that of a call, goes on in place of `from`, which made this one and waits. exit: with this answer and
// the message of `from`; pair_exit: and a second result; word_exit: with this answer and its own message; frame_exit: with answer and message of its frame.
struct fast_answer arch_fast_exit(uint64_t word, uint64_t status, uint64_t from, uint64_t to, uint64_t, uint64_t);
struct fast_answer arch_fast_pair_exit(uint64_t word, uint64_t status, uint64_t from, uint64_t to, uint64_t second,
                                       uint64_t);
struct fast_answer arch_fast_word_exit(uint64_t word, uint64_t status, uint64_t from, uint64_t to, uint64_t, uint64_t);
struct fast_answer arch_fast_frame_exit(uint64_t, uint64_t, uint64_t from, uint64_t to, uint64_t, uint64_t);
// The caller's frame has the answer; it is kept there as after a call of the general path, and the CPU goes on with what
// trap_settle says. The lock is held.
struct fast_answer arch_fast_settle(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);
// A fast path that keeps no frame pointer is about to call functions that do: no chain leads from here to what the user has
// in that register.
static inline void arch_fast_frames(void);
// Whether a frame is that of a call, which the ends above can go on with.
static inline bool arch_frame_is_call(const struct arch_frame *frame);
// arch_space_switch to another process's space.
static inline void arch_fast_space(struct arch_space *space);
// The same where nothing of the user's is touched from here on until user mode is entered; here: it may be in place already.
static inline void arch_fast_space_last(struct arch_space *space, bool here);

// ---- the port's own figures, as text below /kern/arch/ (PORT-6): lines "name value" -----------------------------------

void arch_describe(void (*emit)(void *context, const char *text, size_t length), void *context);

#include <arch_inline.h> // bodies of the static inline functions above
