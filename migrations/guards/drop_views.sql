drop view if exists v_entry
--;
drop view if exists v_seal
--;
drop view if exists v_account_balance
--;
drop view if exists v_payment
--;
drop view if exists v_matching
--;
drop view if exists v_movement
--;
drop view if exists v_receipt
--;
drop view if exists v_inbox
--;
drop view if exists v_audit
