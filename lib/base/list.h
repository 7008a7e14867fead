// Intrusive doubly linked lists. A struct list is embedded both in the head and in each element; a head is circular, so
// insertion and removal need no head and no branch. Every list is initialised before use; an element that is on no list
// may be initialised so that list_is_linked and a repeated list_remove are well defined. No locking.
#pragma once

#include "base/types.h"

struct list {
    struct list *next;
    struct list *previous;
};

// The structure of type `type` whose member `member` is at `pointer`.
#define container_of(pointer, type, member) ((type *)((char *)(pointer) - offsetof(type, member)))

// A head or element that is linked to nothing.
#define LIST_INIT(name) {.next = &(name), .previous = &(name)}

static inline void list_init(struct list *list) {
    list->next = list;
    list->previous = list;
}

static inline bool list_empty(const struct list *head) {
    return head->next == head;
}

// Whether an initialised element is on a list.
static inline bool list_is_linked(const struct list *element) {
    return element->next != element;
}

// Put an element behind `where`, which is the head or an element. It must not be on a list.
static inline void list_insert_after(struct list *where, struct list *element) {
    element->next = where->next;
    element->previous = where;
    where->next->previous = element;
    where->next = element;
}

static inline void list_push_front(struct list *head, struct list *element) {
    list_insert_after(head, element);
}

static inline void list_push_back(struct list *head, struct list *element) {
    list_insert_after(head->previous, element);
}

// Put an element before `where`.
static inline void list_insert_before(struct list *where, struct list *element) {
    list_insert_after(where->previous, element);
}

// Take an element off its list and leave it linked to nothing; harmless if it already was.
static inline void list_remove(struct list *element) {
    element->previous->next = element->next;
    element->next->previous = element->previous;
    list_init(element);
}

// First and last element, or null.
static inline struct list *list_first(const struct list *head) {
    return list_empty(head) ? nullptr : head->next;
}

static inline struct list *list_last(const struct list *head) {
    return list_empty(head) ? nullptr : head->previous;
}

// The element after one, or null at the end.
static inline struct list *list_next(const struct list *head, const struct list *element) {
    return element->next == head ? nullptr : element->next;
}

// Take the first element off, or null.
static inline struct list *list_pop_front(struct list *head) {
    struct list *element = list_first(head);
    if (element != nullptr) {
        list_remove(element);
    }
    return element;
}

// Move all elements of `from` to the end of `to`; `from` is empty afterwards.
static inline void list_append(struct list *to, struct list *from) {
    if (list_empty(from)) {
        return;
    }
    from->next->previous = to->previous;
    to->previous->next = from->next;
    from->previous->next = to;
    to->previous = from->previous;
    list_init(from);
}

// Visit each element as struct list *element. The body must not take it off the list.
#define list_for_each(element, head)                                                                                   \
    for (struct list *element = (head)->next; element != (head); element = element->next)

// The same, but the body may take the visited element (and only that) off the list.
#define list_for_each_safe(element, head)                                                                              \
    for (struct list *element = (head)->next, *element##_next = element->next; element != (head);                      \
         element = element##_next, element##_next = element->next)
