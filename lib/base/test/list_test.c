#include <criterion/criterion.h>

#include "base/list.h"

struct item {
    int value;
    struct list link;
};

// The values on a list as decimal digits, walked forwards, and checked to be the same backwards.
static int digits(const struct list *head) {
    int forwards = 0;
    list_for_each(element, head) {
        forwards = forwards * 10 + container_of(element, struct item, link)->value;
        cr_assert_eq(element->next->previous, element);
        cr_assert_eq(element->previous->next, element);
    }
    return forwards;
}

Test(list, order_of_insertion) {
    struct list head;
    struct item items[4] = {{.value = 1}, {.value = 2}, {.value = 3}, {.value = 4}};
    list_init(&head);
    cr_assert(list_empty(&head));
    cr_assert_null(list_first(&head));
    cr_assert_null(list_last(&head));
    cr_assert_null(list_pop_front(&head));
    list_push_back(&head, &items[1].link);
    list_push_back(&head, &items[2].link);
    list_push_front(&head, &items[0].link);
    list_insert_before(&items[0].link, &items[3].link);
    cr_assert_eq(digits(&head), 4123);
    cr_assert_eq(list_first(&head), &items[3].link);
    cr_assert_eq(list_last(&head), &items[2].link);
    cr_assert_eq(list_next(&head, &items[3].link), &items[0].link);
    cr_assert_null(list_next(&head, &items[2].link));
}

Test(list, removal_leaves_the_element_unlinked) {
    struct list head = LIST_INIT(head);
    struct item items[3] = {{.value = 1}, {.value = 2}, {.value = 3}};
    for (int i = 0; i < 3; i++) {
        list_push_back(&head, &items[i].link);
    }
    list_remove(&items[1].link);
    cr_assert(!list_is_linked(&items[1].link));
    list_remove(&items[1].link);
    cr_assert_eq(digits(&head), 13);
    cr_assert_eq(list_pop_front(&head), &items[0].link);
    cr_assert_eq(digits(&head), 3);
}

Test(list, visited_element_may_go) {
    struct list head = LIST_INIT(head);
    struct item items[5];
    for (int i = 0; i < 5; i++) {
        items[i].value = i + 1;
        list_push_back(&head, &items[i].link);
    }
    list_for_each_safe(element, &head) {
        if (container_of(element, struct item, link)->value % 2 == 0) {
            list_remove(element);
        }
    }
    cr_assert_eq(digits(&head), 135);
}

Test(list, append_moves_all) {
    struct list to = LIST_INIT(to);
    struct list from = LIST_INIT(from);
    struct item items[3] = {{.value = 1}, {.value = 2}, {.value = 3}};
    list_append(&to, &from);
    cr_assert(list_empty(&to));
    list_push_back(&from, &items[0].link);
    list_push_back(&from, &items[1].link);
    list_append(&to, &from);
    cr_assert(list_empty(&from));
    list_push_back(&from, &items[2].link);
    list_append(&to, &from);
    cr_assert_eq(digits(&to), 123);
}
