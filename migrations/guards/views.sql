-- Read-only views that outside readers rely on (README, "Views"). SQL built-ins only.
create view v_entry as
select e.id as row_id, e.event_id, e.school_id, v.posted_at, v.kind, a.code as account,
       e.amount, e.student_id, e.invoice_line_id
from entries e
join ledger_events v on v.id = e.event_id
join accounts a on a.id = e.debit_id
union all
select e.id, e.event_id, e.school_id, v.posted_at, v.kind, a.code,
       -e.amount, e.student_id, e.invoice_line_id
from entries e
join ledger_events v on v.id = e.event_id
join accounts a on a.id = e.credit_id
--;
create view v_seal as
select school_id, seq, last_entry_id, entries, prev_hash, hash, sealed_at from seals
--;
create view v_account_balance as
select a.school_id, a.code as account,
       cast(coalesce((select sum(e.amount) from entries e
                      where e.school_id = a.school_id and e.debit_id = a.id), 0)
            - coalesce((select sum(e.amount) from entries e
                        where e.school_id = a.school_id and e.credit_id = a.id), 0) as bigint)
         as balance
from accounts a
--;
-- matchings that were not taken back
create view v_matching as
select m.id, m.school_id, m.payment_id, m.student_id, m.request_id, m.amount, m.event_id, m.rule,
       m.matched_by, m.matched_at
from matchings m
where not exists (select 1 from ledger_events t
                  where t.school_id = m.school_id and t.reverses_id = m.event_id)
--;
-- movements that were not taken back
create view v_movement as
select m.id, m.school_id, m.bank_account_id, m.cause_kind, m.cause_id, m.purpose, m.account,
       m.target_id, m.amount, m.fee, m.reason, m.event_id, m.booked_by, m.booked_at
from movements m
where not exists (select 1 from ledger_events t
                  where t.school_id = m.school_id and t.reverses_id = m.event_id)
--;
create view v_payment as
select payment_id, school_id, provider, external_id, amount, received_at,
       case
         when gone >= amount and refunds > 0 then 'refunded'
         when gone >= amount then 'reversed'
         when matched >= amount then 'matched'
         when matched > 0 then 'partly_matched'
         else 'suspense'
       end as state
from (
  -- one look-up a payment, so that a school's page never sums up the whole area
  select p.id as payment_id, p.school_id, p.provider, p.external_id, p.amount, p.received_at,
         coalesce((select sum(m.amount) from v_matching m
                   where m.school_id = p.school_id and m.payment_id = p.id), 0)
         + coalesce((select sum(m.amount) from v_movement m
                     where m.school_id = p.school_id and m.cause_kind = 'payment'
                       and m.cause_id = p.id), 0) as matched,
         coalesce((select sum(r.amount) from reversals r
                   where r.school_id = p.school_id and r.payment_id = p.id), 0) as gone,
         (select count(*) from reversals r
          where r.school_id = p.school_id and r.payment_id = p.id and r.kind = 'refund') as refunds
  from payments p
) as money
--;
create view v_receipt as
select r.id as receipt_id, r.payment_id, r.school_id, r.series, r.number, r.issued_at, r.amount,
       case
         when exists (select 1 from receipts n
                      where n.school_id = r.school_id and n.replaces_id = r.id) then 'replaced'
         when exists (select 1 from receipt_voids d
                      where d.school_id = r.school_id and d.receipt_id = r.id) then 'void'
         else 'live'
       end as state,
       (select o.series || '/' || o.number from receipts o where o.id = r.replaces_id) as replaces
from receipts r
--;
create view v_inbox as
select n.provider, n.channel, n.external_id, n.received_at, o.state
from inbox_notices n
join inbox_outcomes o on o.notice_id = n.id
where o.id = (select max(l.id) from inbox_outcomes l where l.notice_id = n.id)
--;
create view v_audit as
select at, actor, role, school_id, action, subject, cause from audit_rows
