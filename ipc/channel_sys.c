// The calls on channels and connections: connect, attach, finish, send, recv. channel_create names a node and stands in kfs.
#include "abi/calls.h"
#include "ipc/channel_impl.h"
#include "ipc/message.h"
#include "kernel/pages.h"
#include "kernel/process.h"
#include "kernel/thread.h"

long sys_connect(struct thread *self, handle_t channel, uint32_t rights) {
    struct handle_table *table = &self->process->handles;
    struct object *server, *connection;
    status_t status = handle_get(table, channel, OBJECT_CHANNEL, RIGHT_ADMIN, &server);
    if (status != 0) {
        return status;
    }
    if ((rights & ~RIGHTS_ALL) != 0) {
        return ERR_INVALID;
    }
    status = channel_connect(channel_of(server), self->process->pid, &connection);
    if (status != 0) {
        return status;
    }
    handle_t value = 0;
    status = handle_insert(table, connection, rights, connection_of(connection)->node.id, nullptr, &value);
    object_unref(connection);
    return status != 0 ? status : (long)value;
}

long sys_attach(struct thread *self, handle_t channel, uint64_t connection) {
    struct handle_table *table = &self->process->handles;
    struct handle *server;
    status_t status = handle_find(table, channel, &server);
    if (status != 0) {
        return status;
    }
    if (server->object->ops->kind != OBJECT_CHANNEL) {
        return ERR_WRONG_KIND;
    }
    if ((server->rights & RIGHT_READ) == 0) {
        return ERR_RIGHTS;
    }
    if (!channel_mapped(channel_of(server->object))) {
        return ERR_WRONG_KIND;
    }
    struct pages *rings = channel_rings(channel_of(server->object), connection);
    if (rings == nullptr) {
        return ERR_NOT_FOUND;
    }
    uint32_t rights = (server->rights & (RIGHT_READ | RIGHT_WRITE | RIGHT_GRANT)) | RIGHT_MAP;
    handle_t value;
    status = handle_insert(table, &rings->object, rights, connection, server, &value);
    return status != 0 ? status : (long)value;
}

long sys_finish(struct thread *self, handle_t handle) {
    struct object *connection;
    status_t status = handle_get(&self->process->handles, handle, OBJECT_CONNECTION, RIGHT_WRITE, &connection);
    if (status == 0) {
        connection_finish(connection_of(connection));
    }
    return status;
}

// A handle of either side, with these rights. ERR_BAD_HANDLE, ERR_WRONG_KIND, ERR_RIGHTS.
static status_t find_side(struct thread *self, handle_t value, uint32_t rights, struct object **object) {
    struct handle *handle;
    status_t status = handle_find(&self->process->handles, value, &handle);
    if (status != 0) {
        return status;
    }
    enum object_kind kind = handle->object->ops->kind;
    if (kind != OBJECT_CHANNEL && kind != OBJECT_CONNECTION) {
        return ERR_WRONG_KIND;
    }
    if ((handle->rights & rights) != rights) {
        return ERR_RIGHTS;
    }
    *object = handle->object;
    return 0;
}

long sys_send(struct thread *self, handle_t handle, user_ptr_t payload, uint64_t length, uint64_t id,
              uint64_t connection, struct call_results *out) {
    struct object *object;
    status_t status = find_side(self, handle, RIGHT_WRITE, &object);
    if (status != 0) {
        return status;
    }
    if (object->ops->kind == OBJECT_CONNECTION && connection != 0) {
        return ERR_INVALID;
    }
    long sequence = message_send(object, self->process->pid, payload, length, id, connection);
    if (sequence < 0) {
        return sequence;
    }
    out->word[0] = (uint64_t)sequence;
    return 0;
}

long sys_recv(struct thread *self, handle_t handle, user_ptr_t buffer, uint64_t capacity, struct call_results *out) {
    struct object *object;
    status_t status = find_side(self, handle, RIGHT_READ, &object);
    if (status != 0) {
        return status;
    }
    struct received received;
    long length = message_receive(object, buffer, capacity, &received);
    if (length < 0) {
        return length;
    }
    out->word[0] = (uint64_t)received.kind << 32 | received.sender;
    out->word[1] = received.id;
    out->word[2] = received.connection;
    out->word[3] = received.sequence;
    return length;
}
