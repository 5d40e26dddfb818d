-- Append-only guards of SQLite. The insert guards stop INSERT OR REPLACE on any connection,
-- also on one that never set recursive_triggers.
--;
drop trigger if exists guard_accounts_update
--;
create trigger guard_accounts_update before update on accounts
begin select raise(abort, 'accounts is append-only'); end
--;
drop trigger if exists guard_accounts_delete
--;
create trigger guard_accounts_delete before delete on accounts
begin select raise(abort, 'accounts is append-only'); end
--;
drop trigger if exists guard_accounts_insert
--;
create trigger guard_accounts_insert before insert on accounts
when exists (select 1 from accounts where id = new.id) or exists (select 1 from accounts where school_id = new.school_id and code = new.code)
begin select raise(abort, 'accounts is append-only: the key exists'); end
--;
drop trigger if exists guard_ledger_events_update
--;
create trigger guard_ledger_events_update before update on ledger_events
begin select raise(abort, 'ledger_events is append-only'); end
--;
drop trigger if exists guard_ledger_events_delete
--;
create trigger guard_ledger_events_delete before delete on ledger_events
begin select raise(abort, 'ledger_events is append-only'); end
--;
drop trigger if exists guard_ledger_events_insert
--;
create trigger guard_ledger_events_insert before insert on ledger_events
when exists (select 1 from ledger_events where id = new.id) or exists (select 1 from ledger_events where school_id = new.school_id and kind = new.kind and cause_kind = new.cause_kind and cause_id = new.cause_id)
begin select raise(abort, 'ledger_events is append-only: the key exists'); end
--;
drop trigger if exists guard_entries_update
--;
create trigger guard_entries_update before update on entries
begin select raise(abort, 'entries is append-only'); end
--;
drop trigger if exists guard_entries_delete
--;
create trigger guard_entries_delete before delete on entries
begin select raise(abort, 'entries is append-only'); end
--;
drop trigger if exists guard_entries_insert
--;
create trigger guard_entries_insert before insert on entries
when exists (select 1 from entries where id = new.id)
begin select raise(abort, 'entries is append-only: the key exists'); end
--;
drop trigger if exists guard_seals_update
--;
create trigger guard_seals_update before update on seals
begin select raise(abort, 'seals is append-only'); end
--;
drop trigger if exists guard_seals_delete
--;
create trigger guard_seals_delete before delete on seals
begin select raise(abort, 'seals is append-only'); end
--;
drop trigger if exists guard_seals_insert
--;
create trigger guard_seals_insert before insert on seals
when exists (select 1 from seals where id = new.id) or exists (select 1 from seals where school_id = new.school_id and seq = new.seq)
begin select raise(abort, 'seals is append-only: the key exists'); end
--;
drop trigger if exists guard_audit_rows_update
--;
create trigger guard_audit_rows_update before update on audit_rows
begin select raise(abort, 'audit_rows is append-only'); end
--;
drop trigger if exists guard_audit_rows_delete
--;
create trigger guard_audit_rows_delete before delete on audit_rows
begin select raise(abort, 'audit_rows is append-only'); end
--;
drop trigger if exists guard_audit_rows_insert
--;
create trigger guard_audit_rows_insert before insert on audit_rows
when exists (select 1 from audit_rows where id = new.id)
begin select raise(abort, 'audit_rows is append-only: the key exists'); end
--;
drop trigger if exists guard_audit_seals_update
--;
create trigger guard_audit_seals_update before update on audit_seals
begin select raise(abort, 'audit_seals is append-only'); end
--;
drop trigger if exists guard_audit_seals_delete
--;
create trigger guard_audit_seals_delete before delete on audit_seals
begin select raise(abort, 'audit_seals is append-only'); end
--;
drop trigger if exists guard_audit_seals_insert
--;
create trigger guard_audit_seals_insert before insert on audit_seals
when exists (select 1 from audit_seals where id = new.id) or exists (select 1 from audit_seals where school_id = new.school_id and seq = new.seq)
begin select raise(abort, 'audit_seals is append-only: the key exists'); end
--;
drop trigger if exists guard_invoices_update
--;
create trigger guard_invoices_update before update on invoices
begin select raise(abort, 'invoices is append-only'); end
--;
drop trigger if exists guard_invoices_delete
--;
create trigger guard_invoices_delete before delete on invoices
begin select raise(abort, 'invoices is append-only'); end
--;
drop trigger if exists guard_invoices_insert
--;
create trigger guard_invoices_insert before insert on invoices
when exists (select 1 from invoices where id = new.id) or exists (select 1 from invoices where school_id = new.school_id and enrolment_id = new.enrolment_id and billed_period = new.billed_period and seq = new.seq)
begin select raise(abort, 'invoices is append-only: the key exists'); end
--;
drop trigger if exists guard_invoice_lines_update
--;
create trigger guard_invoice_lines_update before update on invoice_lines
begin select raise(abort, 'invoice_lines is append-only'); end
--;
drop trigger if exists guard_invoice_lines_delete
--;
create trigger guard_invoice_lines_delete before delete on invoice_lines
begin select raise(abort, 'invoice_lines is append-only'); end
--;
drop trigger if exists guard_invoice_lines_insert
--;
create trigger guard_invoice_lines_insert before insert on invoice_lines
when exists (select 1 from invoice_lines where id = new.id) or exists (select 1 from invoice_lines where school_id = new.school_id and run_id = new.run_id and enrolment_id = new.enrolment_id and item_id = new.item_id and service_period = new.service_period)
begin select raise(abort, 'invoice_lines is append-only: the key exists'); end
--;
drop trigger if exists guard_payment_requests_update
--;
create trigger guard_payment_requests_update before update on payment_requests
begin select raise(abort, 'payment_requests is append-only'); end
--;
drop trigger if exists guard_payment_requests_delete
--;
create trigger guard_payment_requests_delete before delete on payment_requests
begin select raise(abort, 'payment_requests is append-only'); end
--;
drop trigger if exists guard_payment_requests_insert
--;
create trigger guard_payment_requests_insert before insert on payment_requests
when exists (select 1 from payment_requests where id = new.id) or exists (select 1 from payment_requests where reference = new.reference) or exists (select 1 from payment_requests where token = new.token) or exists (select 1 from payment_requests where school_id = new.school_id and student_id = new.student_id and bank_account_id = new.bank_account_id)
begin select raise(abort, 'payment_requests is append-only: the key exists'); end
--;
drop trigger if exists guard_payment_codes_update
--;
create trigger guard_payment_codes_update before update on payment_codes
begin select raise(abort, 'payment_codes is append-only'); end
--;
drop trigger if exists guard_payment_codes_delete
--;
create trigger guard_payment_codes_delete before delete on payment_codes
begin select raise(abort, 'payment_codes is append-only'); end
--;
drop trigger if exists guard_payment_codes_insert
--;
create trigger guard_payment_codes_insert before insert on payment_codes
when exists (select 1 from payment_codes where reference = new.reference) or exists (select 1 from payment_codes where token = new.token)
begin select raise(abort, 'payment_codes is append-only: the key exists'); end
--;
drop trigger if exists guard_receipts_update
--;
create trigger guard_receipts_update before update on receipts
begin select raise(abort, 'receipts is append-only'); end
--;
drop trigger if exists guard_receipts_delete
--;
create trigger guard_receipts_delete before delete on receipts
begin select raise(abort, 'receipts is append-only'); end
--;
drop trigger if exists guard_receipts_insert
--;
create trigger guard_receipts_insert before insert on receipts
when exists (select 1 from receipts where id = new.id) or exists (select 1 from receipts where school_id = new.school_id and series = new.series and number = new.number) or exists (select 1 from receipts where check_code = new.check_code)
begin select raise(abort, 'receipts is append-only: the key exists'); end
--;
drop trigger if exists guard_receipt_voids_update
--;
create trigger guard_receipt_voids_update before update on receipt_voids
begin select raise(abort, 'receipt_voids is append-only'); end
--;
drop trigger if exists guard_receipt_voids_delete
--;
create trigger guard_receipt_voids_delete before delete on receipt_voids
begin select raise(abort, 'receipt_voids is append-only'); end
--;
drop trigger if exists guard_receipt_voids_insert
--;
create trigger guard_receipt_voids_insert before insert on receipt_voids
when exists (select 1 from receipt_voids where id = new.id) or exists (select 1 from receipt_voids where school_id = new.school_id and receipt_id = new.receipt_id)
begin select raise(abort, 'receipt_voids is append-only: the key exists'); end
--;
drop trigger if exists guard_receipt_codes_update
--;
create trigger guard_receipt_codes_update before update on receipt_codes
begin select raise(abort, 'receipt_codes is append-only'); end
--;
drop trigger if exists guard_receipt_codes_delete
--;
create trigger guard_receipt_codes_delete before delete on receipt_codes
begin select raise(abort, 'receipt_codes is append-only'); end
--;
drop trigger if exists guard_receipt_codes_insert
--;
create trigger guard_receipt_codes_insert before insert on receipt_codes
when exists (select 1 from receipt_codes where check_code = new.check_code)
begin select raise(abort, 'receipt_codes is append-only: the key exists'); end
--;
drop trigger if exists guard_inbox_notices_update
--;
create trigger guard_inbox_notices_update before update on inbox_notices
begin select raise(abort, 'inbox_notices is append-only'); end
--;
drop trigger if exists guard_inbox_notices_delete
--;
create trigger guard_inbox_notices_delete before delete on inbox_notices
begin select raise(abort, 'inbox_notices is append-only'); end
--;
drop trigger if exists guard_inbox_notices_insert
--;
create trigger guard_inbox_notices_insert before insert on inbox_notices
when exists (select 1 from inbox_notices where id = new.id) or exists (select 1 from inbox_notices where provider = new.provider and channel = new.channel and external_id = new.external_id)
begin select raise(abort, 'inbox_notices is append-only: the key exists'); end
--;
drop trigger if exists guard_inbox_outcomes_update
--;
create trigger guard_inbox_outcomes_update before update on inbox_outcomes
begin select raise(abort, 'inbox_outcomes is append-only'); end
--;
drop trigger if exists guard_inbox_outcomes_delete
--;
create trigger guard_inbox_outcomes_delete before delete on inbox_outcomes
begin select raise(abort, 'inbox_outcomes is append-only'); end
--;
drop trigger if exists guard_inbox_outcomes_insert
--;
create trigger guard_inbox_outcomes_insert before insert on inbox_outcomes
when exists (select 1 from inbox_outcomes where id = new.id)
begin select raise(abort, 'inbox_outcomes is append-only: the key exists'); end
--;
drop trigger if exists guard_payments_update
--;
create trigger guard_payments_update before update on payments
begin select raise(abort, 'payments is append-only'); end
--;
drop trigger if exists guard_payments_delete
--;
create trigger guard_payments_delete before delete on payments
begin select raise(abort, 'payments is append-only'); end
--;
drop trigger if exists guard_payments_insert
--;
create trigger guard_payments_insert before insert on payments
when exists (select 1 from payments where id = new.id) or exists (select 1 from payments where school_id = new.school_id and provider = new.provider and channel_id = new.channel_id and external_id = new.external_id)
begin select raise(abort, 'payments is append-only: the key exists'); end
--;
drop trigger if exists guard_matchings_update
--;
create trigger guard_matchings_update before update on matchings
begin select raise(abort, 'matchings is append-only'); end
--;
drop trigger if exists guard_matchings_delete
--;
create trigger guard_matchings_delete before delete on matchings
begin select raise(abort, 'matchings is append-only'); end
--;
drop trigger if exists guard_matchings_insert
--;
create trigger guard_matchings_insert before insert on matchings
when exists (select 1 from matchings where id = new.id)
begin select raise(abort, 'matchings is append-only: the key exists'); end
--;
drop trigger if exists guard_reversals_update
--;
create trigger guard_reversals_update before update on reversals
begin select raise(abort, 'reversals is append-only'); end
--;
drop trigger if exists guard_reversals_delete
--;
create trigger guard_reversals_delete before delete on reversals
begin select raise(abort, 'reversals is append-only'); end
--;
drop trigger if exists guard_reversals_insert
--;
create trigger guard_reversals_insert before insert on reversals
when exists (select 1 from reversals where id = new.id) or exists (select 1 from reversals where school_id = new.school_id and payment_id = new.payment_id and kind = new.kind and external_id = new.external_id)
begin select raise(abort, 'reversals is append-only: the key exists'); end
--;
drop trigger if exists guard_schedule_prices_update
--;
create trigger guard_schedule_prices_update before update on schedule_prices
when (select state from fee_schedules where id = old.schedule_id) not in ('draft')
begin select raise(abort, 'prices of a schedule that left the draft are fixed'); end
--;
drop trigger if exists guard_schedule_prices_delete
--;
create trigger guard_schedule_prices_delete before delete on schedule_prices
when (select state from fee_schedules where id = old.schedule_id) not in ('draft')
begin select raise(abort, 'prices of a schedule that left the draft are fixed'); end
--;
drop trigger if exists guard_enrolments_delete
--;
create trigger guard_enrolments_delete before delete on enrolments
begin select raise(abort, 'enrolments only ever end'); end
--;
drop trigger if exists guard_photo_consents_update
--;
create trigger guard_photo_consents_update before update on photo_consents
begin select raise(abort, 'photo_consents is append-only'); end
--;
drop trigger if exists guard_photo_consents_delete
--;
create trigger guard_photo_consents_delete before delete on photo_consents
begin select raise(abort, 'photo_consents is append-only'); end
--;
drop trigger if exists guard_photo_consents_insert
--;
create trigger guard_photo_consents_insert before insert on photo_consents
when exists (select 1 from photo_consents where id = new.id)
begin select raise(abort, 'photo_consents is append-only: the key exists'); end
--;
drop trigger if exists guard_photo_withdrawals_update
--;
create trigger guard_photo_withdrawals_update before update on photo_withdrawals
begin select raise(abort, 'photo_withdrawals is append-only'); end
--;
drop trigger if exists guard_photo_withdrawals_delete
--;
create trigger guard_photo_withdrawals_delete before delete on photo_withdrawals
begin select raise(abort, 'photo_withdrawals is append-only'); end
--;
drop trigger if exists guard_photo_withdrawals_insert
--;
create trigger guard_photo_withdrawals_insert before insert on photo_withdrawals
when exists (select 1 from photo_withdrawals where id = new.id) or exists (select 1 from photo_withdrawals where school_id = new.school_id and consent_id = new.consent_id)
begin select raise(abort, 'photo_withdrawals is append-only: the key exists'); end
--;
drop trigger if exists guard_verification_results_update
--;
create trigger guard_verification_results_update before update on verification_results
begin select raise(abort, 'verification_results is append-only'); end
--;
drop trigger if exists guard_verification_results_delete
--;
create trigger guard_verification_results_delete before delete on verification_results
begin select raise(abort, 'verification_results is append-only'); end
--;
drop trigger if exists guard_verification_results_insert
--;
create trigger guard_verification_results_insert before insert on verification_results
when exists (select 1 from verification_results where id = new.id)
begin select raise(abort, 'verification_results is append-only: the key exists'); end
--;
drop trigger if exists guard_identity_changes_update
--;
create trigger guard_identity_changes_update before update on identity_changes
when new.old_value is not null or new.new_value is not null or new.reason <> ''
  or new.id <> old.id or new.student_id <> old.student_id or new.school_id is not old.school_id
  or new.field <> old.field or new.origin <> old.origin or new.actor <> old.actor or new.at <> old.at
  or not exists (select 1 from students s where s.id = old.student_id and s.anonymised_at is not null)
begin select raise(abort, 'identity_changes is append-only'); end
--;
drop trigger if exists guard_identity_changes_delete
--;
create trigger guard_identity_changes_delete before delete on identity_changes
begin select raise(abort, 'identity_changes is append-only'); end
--;
drop trigger if exists guard_identity_changes_insert
--;
create trigger guard_identity_changes_insert before insert on identity_changes
when exists (select 1 from identity_changes where id = new.id)
begin select raise(abort, 'identity_changes is append-only: the key exists'); end
--;
drop trigger if exists guard_invoice_withdrawals_update
--;
create trigger guard_invoice_withdrawals_update before update on invoice_withdrawals
begin select raise(abort, 'invoice_withdrawals is append-only'); end
--;
drop trigger if exists guard_invoice_withdrawals_delete
--;
create trigger guard_invoice_withdrawals_delete before delete on invoice_withdrawals
begin select raise(abort, 'invoice_withdrawals is append-only'); end
--;
drop trigger if exists guard_invoice_withdrawals_insert
--;
create trigger guard_invoice_withdrawals_insert before insert on invoice_withdrawals
when exists (select 1 from invoice_withdrawals where id = new.id) or exists (select 1 from invoice_withdrawals where school_id = new.school_id and invoice_id = new.invoice_id)
begin select raise(abort, 'invoice_withdrawals is append-only: the key exists'); end
--;
drop trigger if exists guard_gifts_update
--;
create trigger guard_gifts_update before update on gifts
begin select raise(abort, 'gifts is append-only'); end
--;
drop trigger if exists guard_gifts_delete
--;
create trigger guard_gifts_delete before delete on gifts
begin select raise(abort, 'gifts is append-only'); end
--;
drop trigger if exists guard_gifts_insert
--;
create trigger guard_gifts_insert before insert on gifts
when exists (select 1 from gifts where id = new.id)
begin select raise(abort, 'gifts is append-only: the key exists'); end
--;
drop trigger if exists guard_exemption_application_steps_update
--;
create trigger guard_exemption_application_steps_update before update on exemption_application_steps
when new.words <> '' or new.id <> old.id or new.school_id <> old.school_id
  or new.application_id <> old.application_id or new.state <> old.state
  or new.actor <> old.actor or new.actor_id is not old.actor_id or new.at <> old.at
begin select raise(abort, 'exemption_application_steps is append-only'); end
--;
drop trigger if exists guard_exemption_application_steps_delete
--;
create trigger guard_exemption_application_steps_delete before delete on exemption_application_steps
begin select raise(abort, 'exemption_application_steps is append-only'); end
--;
drop trigger if exists guard_exemption_application_steps_insert
--;
create trigger guard_exemption_application_steps_insert before insert on exemption_application_steps
when exists (select 1 from exemption_application_steps where id = new.id)
begin select raise(abort, 'exemption_application_steps is append-only: the key exists'); end
--;
drop trigger if exists guard_parents_agreements_update
--;
create trigger guard_parents_agreements_update before update on parents_agreements
begin select raise(abort, 'parents_agreements is append-only'); end
--;
drop trigger if exists guard_parents_agreements_delete
--;
create trigger guard_parents_agreements_delete before delete on parents_agreements
begin select raise(abort, 'parents_agreements is append-only'); end
--;
drop trigger if exists guard_parents_agreements_insert
--;
create trigger guard_parents_agreements_insert before insert on parents_agreements
when exists (select 1 from parents_agreements where id = new.id)
begin select raise(abort, 'parents_agreements is append-only: the key exists'); end
--;
drop trigger if exists guard_item_accounts_update
--;
create trigger guard_item_accounts_update before update on item_accounts
begin select raise(abort, 'item_accounts is append-only'); end
--;
drop trigger if exists guard_item_accounts_delete
--;
create trigger guard_item_accounts_delete before delete on item_accounts
begin select raise(abort, 'item_accounts is append-only'); end
--;
drop trigger if exists guard_item_accounts_insert
--;
create trigger guard_item_accounts_insert before insert on item_accounts
when exists (select 1 from item_accounts where id = new.id)
begin select raise(abort, 'item_accounts is append-only: the key exists'); end
--;
drop trigger if exists guard_consent_scans_update
--;
create trigger guard_consent_scans_update before update on consent_scans
begin select raise(abort, 'consent_scans is append-only'); end
--;
drop trigger if exists guard_consent_scans_delete
--;
create trigger guard_consent_scans_delete before delete on consent_scans
begin select raise(abort, 'consent_scans is append-only'); end
--;
drop trigger if exists guard_consent_scans_insert
--;
create trigger guard_consent_scans_insert before insert on consent_scans
when exists (select 1 from consent_scans where id = new.id)
begin select raise(abort, 'consent_scans is append-only: the key exists'); end
--;
drop trigger if exists guard_statements_update
--;
create trigger guard_statements_update before update on statements
begin select raise(abort, 'statements is append-only'); end
--;
drop trigger if exists guard_statements_delete
--;
create trigger guard_statements_delete before delete on statements
begin select raise(abort, 'statements is append-only'); end
--;
drop trigger if exists guard_statements_insert
--;
create trigger guard_statements_insert before insert on statements
when exists (select 1 from statements where id = new.id) or exists (select 1 from statements where school_id = new.school_id and bank_account_id = new.bank_account_id and file_hash = new.file_hash)
begin select raise(abort, 'statements is append-only: the key exists'); end
--;
drop trigger if exists guard_statement_rows_update
--;
create trigger guard_statement_rows_update before update on statement_rows
begin select raise(abort, 'statement_rows is append-only'); end
--;
drop trigger if exists guard_statement_rows_delete
--;
create trigger guard_statement_rows_delete before delete on statement_rows
begin select raise(abort, 'statement_rows is append-only'); end
--;
drop trigger if exists guard_statement_rows_insert
--;
create trigger guard_statement_rows_insert before insert on statement_rows
when exists (select 1 from statement_rows where id = new.id) or exists (select 1 from statement_rows where school_id = new.school_id and bank_account_id = new.bank_account_id and key = new.key)
begin select raise(abort, 'statement_rows is append-only: the key exists'); end
--;
drop trigger if exists guard_statement_findings_update
--;
create trigger guard_statement_findings_update before update on statement_findings
begin select raise(abort, 'statement_findings is append-only'); end
--;
drop trigger if exists guard_statement_findings_delete
--;
create trigger guard_statement_findings_delete before delete on statement_findings
begin select raise(abort, 'statement_findings is append-only'); end
--;
drop trigger if exists guard_statement_findings_insert
--;
create trigger guard_statement_findings_insert before insert on statement_findings
when exists (select 1 from statement_findings where id = new.id) or exists (select 1 from statement_findings where school_id = new.school_id and row_id = new.row_id)
begin select raise(abort, 'statement_findings is append-only: the key exists'); end
--;
drop trigger if exists guard_till_counts_update
--;
create trigger guard_till_counts_update before update on till_counts
begin select raise(abort, 'till_counts is append-only'); end
--;
drop trigger if exists guard_till_counts_delete
--;
create trigger guard_till_counts_delete before delete on till_counts
begin select raise(abort, 'till_counts is append-only'); end
--;
drop trigger if exists guard_till_counts_insert
--;
create trigger guard_till_counts_insert before insert on till_counts
when exists (select 1 from till_counts where id = new.id)
begin select raise(abort, 'till_counts is append-only: the key exists'); end
