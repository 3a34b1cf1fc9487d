;; Takes the dot stuffing off a message (RFC 5321 §4.5.2), 32 octets at a time.
;;
;; `run` copies the octets from $from up to $end to $to. The two octets before $from must be in
;; memory. `run` stops at the first place that the byte loop in dot-stuffing.ts has to decide:
;;   - a dot at the beginning of a line that a CR or LF follows, which may end the message;
;;   - the last 17 octets before $end, which a vector load could run past.
;; `run` writes three 32-bit results: at 0 the address of the next octet to read, at 4 the address
;; after the last octet written, at 8 the value 1 if a CR or LF was not part of a CRLF.
;;
;; Two vectors overlap by 15 octets, so each lane sees an octet and the octet after it. Three pairs
;; matter: a CR without an LF, an LF without a CR, and an LF with a dot. All other octets are copied
;; without a branch.
(module
  (memory (export "memory") 3)

  (func (export "run") (param $from i32) (param $end i32) (param $to i32)
    (local $step i32) (local $bare i32)
    (local $octets v128) (local $next v128)
    (local $found v128) (local $moreFound v128)
    (local $crs v128) (local $lfs v128) (local $dots v128)

    (local.set $crs (i8x16.splat (i32.const 0x0d)))
    (local.set $lfs (i8x16.splat (i32.const 0x0a)))
    (local.set $dots (i8x16.splat (i32.const 0x2e)))

    (loop $again
      ;; One vector of pairs needs 17 octets, and the octet after a dot is read as well.
      (if (i32.gt_u (i32.add (local.get $from) (i32.const 18)) (local.get $end))
        (then
          (i32.store (i32.const 0) (local.get $from))
          (i32.store (i32.const 4) (local.get $to))
          (i32.store (i32.const 8) (local.get $bare))
          (return)))

      ;; The first vector. Its pairs are copied and examined.
      (local.set $octets (v128.load align=1 (local.get $from)))
      (local.set $next (v128.load offset=1 align=1 (local.get $from)))
      (v128.store align=1 (local.get $to) (local.get $octets))
      (local.set $found
        (v128.or
          (v128.xor
            (i8x16.eq (local.get $octets) (local.get $crs))
            (i8x16.eq (local.get $next) (local.get $lfs)))
          (v128.and
            (i8x16.eq (local.get $octets) (local.get $lfs))
            (i8x16.eq (local.get $next) (local.get $dots)))))

      ;; A second vector, where the input is long enough: 32 octets a round without a branch between.
      (if (i32.le_u (i32.add (local.get $from) (i32.const 33)) (local.get $end))
        (then
          (local.set $octets (v128.load offset=16 align=1 (local.get $from)))
          (local.set $next (v128.load offset=17 align=1 (local.get $from)))
          (v128.store offset=16 align=1 (local.get $to) (local.get $octets))
          (local.set $moreFound
            (v128.or
              (v128.xor
                (i8x16.eq (local.get $octets) (local.get $crs))
                (i8x16.eq (local.get $next) (local.get $lfs)))
              (v128.and
                (i8x16.eq (local.get $octets) (local.get $lfs))
                (i8x16.eq (local.get $next) (local.get $dots)))))
          (if (i32.eqz (v128.any_true (v128.or (local.get $found) (local.get $moreFound))))
            (then
              (local.set $from (i32.add (local.get $from) (i32.const 32)))
              (local.set $to (i32.add (local.get $to) (i32.const 32)))
              (br $again)))))

      (if (i32.eqz (v128.any_true (local.get $found)))
        (then
          (local.set $from (i32.add (local.get $from) (i32.const 16)))
          (local.set $to (i32.add (local.get $to) (i32.const 16)))
          (br $again)))

      ;; Go to the second octet of the first pair that was found.
      (local.set $step
        (i32.add (i32.ctz (i8x16.bitmask (local.get $found))) (i32.const 1)))
      (local.set $from (i32.add (local.get $from) (local.get $step)))
      (local.set $to (i32.add (local.get $to) (local.get $step)))

      (if (i32.eq (i32.load8_u (local.get $from)) (i32.const 0x2e))
        (then
          (if (i32.eq (i32.load8_u (i32.sub (local.get $from) (i32.const 1))) (i32.const 0x0a))
            (then
              ;; Only CRLF ends a line (RFC 5321 §2.3.8). A dot after a bare LF stays; that LF has been
              ;; reported as the second octet of its own pair.
              (br_if $again
                (i32.ne (i32.load8_u (i32.sub (local.get $from) (i32.const 2))) (i32.const 0x0d)))
              (local.set $step (i32.load8_u offset=1 (local.get $from)))
              (if (i32.or
                    (i32.eq (local.get $step) (i32.const 0x0d))
                    (i32.eq (local.get $step) (i32.const 0x0a)))
                (then
                  (i32.store (i32.const 0) (local.get $from))
                  (i32.store (i32.const 4) (local.get $to))
                  (i32.store (i32.const 8) (local.get $bare))
                  (return)))
              ;; Read past the dot without writing past it: the dot is not part of the message.
              (local.set $from (i32.add (local.get $from) (i32.const 1)))
              (br $again)))))

      (local.set $bare (i32.const 1))
      (br $again))))
