"""The public API by name: class -> its members. What is not in here is not promised."""

EMITTER = "on once off remove_listener remove_all_listeners listeners event_names"
TARGETS = "to in_ except_ compress volatile local"
REACHING = f"{TARGETS} timeout emit send emit_with_ack clients all_sockets fetch_sockets sockets_join sockets_leave"
RUNNING = "run listen attach close addresses"
CATCHING = "on_any prepend_any off_any listeners_any"

NAMES = {
    "fastsio.Server": f"""
        {RUNNING} bind onconnection options path serve_client adapter origins connect_timeout parser of sockets nsps engine
        {EMITTER} use event register {REACHING} disconnect_sockets server_side_emit server_side_emit_with_ack stats
        broadcast threadsafe
    """,
    "fastsio.Namespace": f"""
        name server adapter sockets connected use event {EMITTER} {REACHING} disconnect_sockets server_side_emit
        server_side_emit_with_ack broadcast threadsafe
    """,
    "fastsio.broadcast.BroadcastOperator": f"{REACHING} disconnect_sockets broadcast threadsafe",
    "fastsio.threadsafe.Threadsafe": f"""
        {TARGETS} timeout emit send emit_with_ack clients fetch_sockets sockets_join sockets_leave disconnect_sockets
    """,
    "fastsio.Socket": f"""
        id nsp client conn request connected disconnected recovered rooms handshake data emit send emit_with_ack timeout
        {EMITTER} use join leave {TARGETS} broadcast disconnect drain cancel_handlers {CATCHING} on_any_outgoing
        prepend_any_outgoing off_any_outgoing listeners_any_outgoing
    """,
    "fastsio.handshake.Handshake": "headers time address xdomain secure issued url query auth as_dict",
    "fastsio.client.Client": "conn request sockets",
    "fastsio.Engine": f"{RUNNING} clients_count clients generate_id use stats {EMITTER}",
    "fastsio.engine.reception.EngineSocket": f"""
        id protocol ready_state transport remote_address request upgraded buffered_amount send close drain {EMITTER}
    """,
    "fastsio.engine.request.Request": "method path url query headers address secure cookies",
    "fastsio.adapter.Adapter": f"""
        nsp init close server_count add_all delete delete_all broadcast broadcast_with_ack sockets socket_rooms
        fetch_sockets add_sockets del_sockets disconnect_sockets server_side_emit receive_server_side_emit
        persist_session restore_session rooms sids {EMITTER}
    """,
    "fastsio.remote.RemoteSocket": "id handshake rooms data emit join leave disconnect",
    "fastsio.ConnectError": "message data",
    "fastsio.AckTimeout": "responses",
    "fastsio.Event": "named name",
    "fastsio.Parser": "encode decode decoder",
    "fastsio.Packet": "type nsp data id",
    "fastsio.testing.Client": f"""
        id received disconnect_reason connected emit emit_with_ack receive disconnect drop wait_disconnected {EMITTER}
    """,
}
OPTIONS = """
    path serve_client adapter parser origins cors transports allow_upgrades allow_eio3 ping_interval ping_timeout
    upgrade_timeout connect_timeout max_http_buffer_size max_attachments max_backlog max_connections allow_request
    per_message_deflate http_compression cookie connection_state_recovery cleanup_empty_child_namespaces
    add_trailing_slash initial_packet
"""
EVENTS = {
    "fastsio.Server": "connection new_namespace",
    "fastsio.Socket": "disconnecting disconnect error",
    "fastsio.Engine": "connection connection_error initial_headers headers",
    "fastsio.engine.reception.EngineSocket": "packet packet_create message drain upgrade close",
    "fastsio.adapter.Adapter": "create-room join-room leave-room delete-room",
}
