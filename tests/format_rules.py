"""Each MUST of docs/format.md, by how its sentence or list item begins, and the tests that keep it.

tests/test_format_rules.py keeps document, table and tests together. `content.a_key_is_refused` is
test_a_key_is_refused in a test_content.py below this folder.
"""

KEPT_BY: dict[str, tuple[str, ...]] = {
    # Conventions
    "A reader MUST NOT let anybody tell a wrong key": (
        "altered_answers.stored_bytes_altered_in_any_way_are_answered_alike",
        "altered_answers.rows_altered_in_any_way_are_answered_alike",
    ),
    # Canonical JSON
    "that is not the canonical encoding of its own value": (
        "canonical.what_is_not_canonical_is_refused",
    ),
    "that is longer than 262,144 bytes": (
        "canonical.what_is_not_canonical_is_refused",
        "canonical.the_largest_allowed_is_allowed",
    ),
    "with a key twice in one object": ("canonical.what_is_not_canonical_is_refused",),
    # Content
    "A reader MUST check the stored length": (
        "opening.changed_bytes_are_refused",
        "opening.another_renditions_bytes_are_refused",
    ),
    "A reader MUST refuse a length below 32": (
        "content.a_length_without_iv_and_whole_blocks_is_refused",
        "content.a_key_of_another_size_is_refused",
        "content.wrong_padding_is_refused_before_there_is_a_first_piece",
    ),
    # Key commitment and plaintext tags
    "A reader MUST compare the commitment, in constant time and": (
        "content.a_commitment_to_anything_else_is_refused",
        "content.a_cut_or_lengthened_commitment_is_refused",
        "opening.a_key_that_somebody_else_wrapped_is_not_the_committed_one",
    ),
    "Somebody who is given a plaintext with its tag": (
        "content.a_tag_of_other_plaintext_key_or_rendition_is_refused",
    ),
    # Key pairs
    "is in any other form (PEM": (
        "keypair.what_is_not_our_public_key_is_refused",
        "keypair.a_negative_or_padded_modulus_is_refused",
    ),
    "has fewer than 3072 or more than 4096 bits": (
        "keypair.what_is_not_our_public_key_is_refused",
    ),
    "A reader MUST refuse a private key whose modulus": (
        "keypair.a_private_key_of_another_public_key_is_refused",
        "keypair.what_is_not_the_private_key_is_refused",
    ),
    # The key file
    "| `not_believed` (may be absent)": (
        "rotate_server_keys.a_certificate_the_thief_makes_later_is_not_believed",
    ),
    "A process that runs MUST take the newest file": (
        "rotate_server_keys.a_running_process_sees_the_new_file",
    ),
    "A writer uses the newest for an hour": (
        "unlockkeys.a_key_is_used_for_an_hour_kept_for_a_session_and_destroyed",
    ),
    "A reader MUST NOT take a name from a row": (
        "ended_unlocks.a_name_written_into_a_row_leads_to_no_other_file",
        "ended_unlocks.nothing_but_the_three_parts_together_opens_a_row",
    ),
    # Wrapped keys
    "A reader MUST use the label of the image": (
        "opening.the_wrapped_key_of_another_image_is_refused",
        "opening.a_wrapped_key_with_its_quick_key_moved_here_is_out_of_place",
    ),
    "A reader MUST refuse a wrapped key that is not exactly": (
        "wrapping.another_length_or_number_is_refused",
        "altered_answers.rows_altered_in_any_way_are_answered_alike",
    ),
    "A reader MUST refuse a secret inside that is not 32": (
        "format_rules.a_secret_of_another_size_in_a_wrapped_key_is_refused",
    ),
    # Search entries
    "A reader MUST check the tag before it decrypts": (
        "searching.an_altered_entry_is_read_again_from_the_image",
        "searching.a_new_lock_is_read_again",
    ),
    "A writer MUST destroy a reader's entry": (
        "searching.a_stranger_and_a_former_recipient_find_nothing",
        "searching.a_deleted_image_is_found_by_nobody",
    ),
    # Circles
    "A reader MUST refuse a circle whose newest": (
        "altered.a_membership_that_nobody_signed_opens_nothing_and_becomes_true_at_no_act",
        "altered.an_altered_column_is_refused",
        "opening.a_member_whose_time_is_over_opens_nothing",
        "opening.an_album_of_an_owner_who_is_not_as_compared_opens_nothing",
    ),
    "A reader MUST compare the circle's key": (
        "altered.a_key_of_another_epoch_or_another_secret_is_not_the_albums",
        "altered.a_member_cannot_put_another_key_in_an_images_place",
    ),
    "A reader MUST refuse an image whose newest share": (
        "altered.a_place_that_nobody_signed_opens_nothing_and_becomes_true_at_no_act",
        "altered.a_place_copied_elsewhere_opens_nothing",
        "older_states.no_older_rows_bring_an_access_back",
    ),
    "A writer MUST take rights, members and rules": (
        "acts.a_member_adds_images_of_their_own_only_where_the_owner_signed_it",
        "acts.a_members_add_that_was_written_into_the_row_is_not_signed_at_the_next_act",
        "altered.an_altered_title_is_not_shown_and_not_signed_anew",
    ),
    "A writer that takes a member out MUST make": (
        "acts.taking_a_member_out_makes_a_new_key_and_leaves_nothing_of_theirs",
        "acts.every_image_gets_a_new_lock_when_its_owner_comes",
        "acts.who_is_taken_out_takes_their_own_images_along",
    ),
    # Successors
    "A reader MUST refuse successors to open anything": (
        "naming.a_circle_of_successors_is_no_album_and_no_team",
        "naming.the_key_put_into_a_place_that_nobody_signed_opens_nothing",
        "taking_over.a_successor_cannot_while_the_owner_is_active_nor_open_anything",
    ),
    "A reader MUST refuse successors whose row names another album": (
        "one_album.the_column_turned_to_another_album_gives_neither",
        "one_album.the_column_emptied_makes_no_successors_for_everything",
        "one_album.successors_for_everything_called_those_of_an_album_hand_out_nothing_by_it",
    ),
    "A writer that lets one of them take an image over MUST also": (
        "one_album.an_image_put_into_the_album_by_a_row_stays_out_of_reach",
        "one_album.nor_one_that_was_taken_out_of_it_before",
        "one_album.nor_an_image_before_the_album",
    ),
    "A writer that lets a successor take an image over": (
        "refused.nor_once_the_owner_is_disabled_only_by_a_column",
        "refused.nor_by_an_older_list_put_back",
        "refused.a_row_that_nobody_signed_makes_no_successor",
        "taking_over.another_image_s_key_in_the_row_is_refused",
    ),
    "A writer that lets a successor take an album or a team": (
        "refused.nor_once_the_owner_is_disabled_only_by_a_column",
        "refused.nor_by_an_older_list_put_back",
        "refused.a_key_that_is_not_its_own_is_refused",
        "circles.a_row_that_was_altered_is_not_signed_again",
        "circles.what_members_may_is_what_was_signed",
    ),
    "A reader MUST verify a statement from before": (
        "circles.the_former_owner_s_statements_are_kept_and_altered_ones_found",
        "taking_over.a_former_owner_s_statement_that_was_altered_is_found",
        "taking_over.the_sweep_finds_nothing_wrong_with_what_was_taken_over",
    ),
    # Invitations
    "A reader MUST take token, commitment, person, end": (
        "altered_rows.a_link_put_into_anothers_row_opens_nothing",
        "altered_rows.exchanged_links_keys_or_people_open_nothing",
        "altered_rows.an_invitation_that_nobody_made_opens_nothing",
        "altered_rows.entries_that_the_audit_key_does_not_vouch_for_make_no_invitation",
    ),
    "A reader MUST refuse an invitation that has ended": (
        "altered_rows.a_later_end_in_the_row_lengthens_nothing",
        "altered_rows.a_used_invitation_put_back_opens_nothing",
        "altered_rows.an_invitation_taken_back_and_put_back_opens_nothing",
    ),
    "A reader MUST compare the commitment, in constant time, before it uses": (
        "altered_rows.an_invitation_key_of_somebody_elses_is_not_wrapped_under",
        "altered_rows.another_name_in_the_row_is_not_shown",
    ),
    "A reader MUST refuse a link that is not the one encoding": (
        "accepting.a_link_is_written_in_one_way",
        "accepting.ten_wrong_codes_end_an_invitation",
    ),
    "A writer that makes the account MUST hand over only": (
        "accepting.a_row_that_somebody_put_in_is_not_made_a_grant",
        "accepting.what_fails_half_way_leaves_everything_as_it_was",
        "accepting.a_link_works_once_and_its_keys_are_gone",
        "altered_rows.what_was_ended_and_put_back_is_not_handed_over",
    ),
    "What somebody who has an account already claims MUST move": (
        "claiming.a_claim_moves_nothing_and_the_link_still_works",
        "claiming.a_claim_that_only_a_row_says_is_none",
        "claiming.a_claim_that_was_refused_and_put_back_is_none",
    ),
    "A reader who opens through a circle MUST check": (
        "altered.a_membership_that_nobody_signed_opens_nothing_and_becomes_true_at_no_act",
        "altered.a_teams_row_altered_in_any_column_is_refused_and_found",
        "opening.along_the_whole_chain_rights_intersect_and_the_earliest_end_counts",
    ),
    "A reader MUST refuse a team on the list": (
        "altered.a_team_that_was_put_into_a_team_opens_nothing",
        "opening.no_team_is_a_member_of_a_team",
    ),
    "Whoever opens MUST compare the commitment of each key": (
        "altered.a_member_cannot_put_another_key_in_an_images_place",
        "altered.a_key_of_another_epoch_or_another_secret_is_not_the_albums",
        "altered.a_member_cannot_put_another_key_on_an_album",
    ),
    "A writer MUST make a circle's next key": (
        "leaving.who_is_taken_out_is_left_without_any_key_and_everything_gets_a_new_one",
        "leaving.who_leaves_opens_nothing_from_that_moment_and_the_owner_signs_it_later",
        "leaving.when_a_members_time_is_over_the_owners_next_page_makes_a_new_key",
    ),
    "A writer MUST NOT sign a list without somebody": (
        "leaving.an_end_that_somebody_else_wrote_brings_no_owner_to_sign_a_list_without_a_member",
        "leaving.that_somebody_left_once_ends_no_later_membership",
    ),
    # Keys under keys
    "A reader MUST refuse more than 4,104 bytes": (
        "keywrap.what_is_longer_than_any_key_is_refused_unread",
        "keywrap.a_kek_of_another_size_is_a_programmers_mistake",
        "keywrap.the_older_key_wrap_without_padding_is_refused",
    ),
    "A reader MUST check what it unwrapped before using it": (
        "custody.a_private_key_with_another_public_half_is_refused",
        "opening.a_quick_key_that_is_not_the_committed_one_is_passed_over",
    ),
    "Slots and pairs of earlier versions stay": (
        "format_rules.slots_of_before_a_new_start_are_no_way_in",
        "new_start.what_was_shared_waits_and_new_shares_open",
    ),
    "A verifier MUST take it from entries": (
        "verify_keys.an_entry_nobody_vouches_for_says_nothing",
        "verify_keys.a_search_column_or_head_set_back_hides_nothing",
        "verify_keys.the_digest_of_an_act_that_overlapped_counts_too",
    ),
    # Compared contacts
    "a document whose tag does not verify": (
        "pins.a_list_that_is_not_the_newest_stops_sharing_until_a_new_one_is_started",
        "pins.a_forged_entry_does_not_make_an_older_list_the_newest",
        "pins.a_list_stored_before_a_crash_is_the_newest",
    ),
    "a missing one where such an entry is done": (
        "pins.a_list_that_is_not_the_newest_stops_sharing_until_a_new_one_is_started",
    ),
    "a contact in it whose newest signing key": (
        "pins.a_changed_key_stops_sharing_with_everybody_named",
        "pins.a_reading_key_vouched_for_by_another_of_bobs_keys_is_refused",
    ),
    "somebody whose username is that of another entry": (
        "signers.a_compared_username_on_another_key_stops_sharing_and_opening",
    ),
    "a contact called otherwise than": (
        "signers.a_changed_display_name_is_asked_about_once_and_said",
    ),
    "`fingerprint` is `null`, or the username": (
        "signers.who_did_not_match_is_never_called_verified",
        "signers.a_compared_username_on_another_key_stops_sharing_and_opening",
    ),
    "a key is neither `fingerprint`, nor in `earlier`": (
        "signers.nothing_signed_by_another_key_than_the_compared_one_is_released",
        "signers.a_forged_earlier_key_is_no_earlier_key",
        "signers.an_endorsed_successor_stays_verified_and_is_said_to_be_one",
    ),
    "Where the document is refused, or the trail": (
        "signers.an_older_list_lets_nothing_be_called_verified",
        "signers.without_the_trail_nothing_of_others_is_called_verified",
    ),
    # Passwords and recovery codes
    "The cost stands beside the salt": (
        "custody.a_weaker_or_exhausting_cost_in_the_row_is_refused",
        "custody.a_cost_outside_floor_and_ceiling_is_refused_though_it_would_open",
    ),
    "drop white space and hyphens": (
        "recovery_code.case_spaces_hyphens_and_look_alikes_do_not_matter",
    ),
    "ASCII letters to upper case": (
        "recovery_code.case_spaces_hyphens_and_look_alikes_do_not_matter",
        "recovery_code.what_is_not_thirty_symbols_of_the_alphabet_is_refused",
    ),
    "`O` becomes `0`": (
        "recovery_code.case_spaces_hyphens_and_look_alikes_do_not_matter",
        "recovery_code.what_is_not_thirty_symbols_of_the_alphabet_is_refused",
    ),
    # Recovery by the organisation
    "A server MUST refuse a public half": (
        "public_key.a_swapped_public_key_is_refused_everywhere",
    ),
    "The tool that answers MUST refuse a request": (
        "offline.another_private_key_opens_nothing",
        "offline.an_altered_request_opens_nothing",
        "offline.something_else_wrapped_to_the_organisation_is_not_answered",
    ),
    "A server MUST take an answer only for a request": (
        "answers.an_answer_nobody_asked_for_is_refused",
        "answers.an_answer_that_was_asked_for_too_long_ago_is_refused",
        "answers.an_answer_is_taken_once",
        "answers.an_answer_older_than_new_keys_is_refused",
        "answers.an_answer_lasts_seven_days",
        "answers.an_answer_opens_once",
    ),
    "That recovery MUST make a new master key": ("recovering.a_whole_recovery",),
    # Statements
    "verify the signature over the context": (
        "statements.a_signature_of_one_kind_serves_no_other",
        "statements.a_signature_over_the_body_alone_is_refused",
    ),
    "refuse a body that is not canonical": (
        "statements.another_spelling_of_the_same_values_is_refused",
        "statements.a_missing_field_is_refused",
        "statements.an_unknown_field_is_refused",
        "statements.a_field_of_another_form_is_refused",
    ),
    "refuse a body whose `key` is not": (
        "statements.a_statement_naming_another_key_than_signed_it_is_refused",
    ),
    "refuse a body whose `instance`": (
        "opening.a_statement_about_another_image_is_none_about_this_one",
        "opening.mallory_cannot_put_her_own_signature_on_alices_image",
        "certificates.a_signing_key_certified_by_another_installation_is_refused",
    ),
    "refuse anything but the newest statement": (
        "opening.an_older_statement_under_a_newer_number_is_not_the_newest",
        "statements.a_second_statement_without_its_previous_is_refused",
        "rolled_back_images.no_older_state_put_back_after_an_act_counts",
        "rolled_back_images.an_owner_signs_nothing_upon_a_chain_with_a_gap",
    ),
    "unless its digest and `sequence` are those": (
        "rolled_back_images.no_older_state_put_back_after_an_act_counts",
        "rolled_back_images.an_act_whose_end_the_table_did_not_take_closes_no_image",
    ),
    "of an image of which `image:deleted` is done": (
        "rolled_back_images.a_deleted_image_put_back_opens_nothing",
        "altered.a_deleted_album_whose_rows_were_put_back_opens_nothing",
    ),
    "A reader MUST refuse an image whose row has another date": (
        "keeping.a_date_written_into_the_row_opens_and_deletes_nothing",
        "keeping.a_date_taken_out_of_the_row_or_moved_keeps_nothing_unnoticed",
    ),
    "Where the trail's table cannot be asked": (
        "parts_away.without_the_table_lists_are_shown_and_say_that_images_are_away",
    ),
    "the certificate of that person's newest": (
        "names_shown.no_reader_is_shown_an_owner_who_never_signed",
        "names.the_sweep_finds_swapped_names",
    ),
    "the trail knows no newer one": (
        "names.an_older_certificate_with_an_earlier_name_is_refused_and_found",
    ),
    "The instance MUST NOT certify a name": (
        "names.a_name_that_a_row_was_robbed_of_is_not_given_again",
        "names.nobody_gets_a_second_name_by_damaging_their_own_certificate",
    ),
    "From then on a reader MUST refuse a statement": (
        "stolen_keys.a_statement_signed_after_the_theft_does_not_however_it_is_dated",
        "stolen_keys.an_entry_the_audit_key_does_not_vouch_for_saves_no_statement",
        "stolen_keys.a_statement_seen_for_another_image_saves_none_of_this",
        "replacing.a_key_that_the_stolen_key_certifies_is_wrapped_to_by_nobody",
    ),
    "The mark is a column, which can be taken out": (
        "remembered.stolen_keys_sign_nothing_and_nobody_in_though_their_marks_were_taken_out",
        "remembered.nothing_is_wrapped_to_stolen_keys_though_their_marks_were_taken_out",
    ),
    "A reader MUST refuse a manifest whose `share`": (
        "rolled_back_images.a_list_of_readers_older_than_the_manifest_is_refused",
    ),
    # Edits
    "A writer MUST verify both statements, and those before them, and open the description": (
        "editing.the_words_from_before_put_back_are_shown_to_nobody",
        "editing.every_reader_sees_it_at_once_and_the_picture_is_untouched",
        "editing.a_search_finds_the_new_words_and_not_the_old",
    ),
    # Acknowledgements
    "Without the picture key nobody can try pictures on it;": (
        "own_vectors.each_vector_has_its_result",
        "acknowledging.it_says_which_picture_under_any_later_lock",
    ),
    "A writer MUST open the original for this reader": (
        "acknowledging.a_damaged_image_cannot_be_acknowledged",
        "acknowledging.it_says_which_picture_under_any_later_lock",
    ),
    "its signature verifies under a signing key": (
        "acknowledging.a_row_changed_in_any_way_is_not_shown_as_genuine",
        "acknowledging.a_row_that_mallory_signed_for_bob_is_none",
        "acknowledging.one_moved_to_another_image_confirms_nothing_and_is_missing_here",
    ),
    "an entry of the trail that the audit key vouches for, by this reader": (
        "acknowledging.what_the_trail_has_not_is_no_confirmation_though_the_reader_signed_it",
        "acknowledging.one_whose_end_the_trail_lost_is_genuine",
    ),
    "its key was not stolen, or such an entry is older": (
        "acknowledging.what_a_stolen_key_signs_later_is_no_confirmation",
    ),
    "One that the trail knows as done and that is not there MUST": (
        "acknowledging.one_taken_away_is_said_to_be_missing",
    ),
    # Share entries
    "A reader MUST refuse a salt of another size": (
        "entries.a_salt_of_another_size_is_refused",
        "opening.a_flipped_bit_in_an_entry_is_refused",
        "opening.bobs_grant_handed_over_to_mallory_is_refused",
        "opening.an_end_taken_out_of_the_row_still_holds",
        "opening.rights_raised_in_the_row_are_refused",
    ),
    "A writer MUST destroy what is wrapped to a reader whose end": (
        "ended_by_date.purge_destroys_the_key_and_no_other",
        "ended_by_date.the_owners_next_page_encrypts_again",
        "ended_by_date.it_waits_where_somebody_else_would_lose_their_key",
        "ended_by_date.an_end_that_nobody_signed_shuts_nobody_out_for_good",
    ),
    # Opening
    "ask whether this reader may open": (
        "opening.a_stranger_cannot_distinguish_an_image_from_none",
    ),
    "check the certificates of the owner's": (
        "opening.an_owners_key_that_does_not_verify_is_refused",
        "own_certificate.a_reader_whose_key_nobody_certified_opens_nothing",
    ),
    "verify the manifest by the owner's": (
        "opening.a_flipped_bit_in_a_statement_is_refused",
        "opening.the_statement_of_another_image_is_refused",
    ),
    "verify the newest share statement": (
        "opening.a_grant_given_behind_the_owners_back_is_refused",
        "opening.an_end_that_has_come_is_410_and_says_so",
    ),
    "compare the stored length, then the SHA-256": ("opening.changed_bytes_are_refused",),
    "find the content key by quick key": (
        "opening.a_spoilt_quick_key_costs_time_and_nothing_else",
    ),
    "compare the key commitment;": (
        "opening.a_key_that_somebody_else_wrapped_is_not_the_committed_one",
    ),
    "decrypt those same bytes; stop": ("opening.what_comes_back_is_what_was_sealed",),
}

# Sentences that name the word and ask nothing of a reader.
NO_RULES = ("What a reader MUST do is", '"MUST" and "MUST NOT"')
