/** What is refused: `expression | reason | position`; the position is the offset where the problem begins. */
export const invalidExpressions = `
|empty|0
   |empty|0
*|field-count|1
* *|field-count|3
* * *|field-count|5
* * * *|field-count|7
* * * * * * * *|field-count|14
0 0 0 1 1 * 2030 x|field-count|17
hello|field-count|5
60 * * * *|out-of-range|0
5-60 * * * *|out-of-range|2
-1 * * * *|out-of-range|0
* 24 * * *|out-of-range|2
* 0-24 * * *|out-of-range|4
* * 0 * *|out-of-range|4
* * 32 * *|out-of-range|4
* * 1-32 * *|out-of-range|6
* * 32W * *|out-of-range|4
* * 0W * *|out-of-range|4
* * * 0 *|out-of-range|6
* * * 13 *|out-of-range|6
* * * 1,2,13 *|out-of-range|10
* * * * 8|out-of-range|8
* * * * 1-8|out-of-range|10
* * * * 8L|out-of-range|8
* * * * 9#1|out-of-range|8
60 * * * * *|out-of-range|0
* * * * * * 1969|out-of-range|12
* * * * * * 10000|out-of-range|12
* * * * * * 26|out-of-range|12
99999999999999999999 * * * *|out-of-range|0
FOO * * * *|bad-name|0
* MON * * *|bad-name|2
* * JAN * *|bad-name|4
* * * FOO *|bad-name|6
* * * JANUARY *|bad-name|6
* * * MON *|bad-name|6
* * * JA *|bad-name|6
* * * JAN-FOO *|bad-name|10
* * * * JAN|bad-name|8
* * * * MONDAY|bad-name|8
* * * * MO|bad-name|8
* * * * FOO#1|bad-name|8
* * * * FOOL|bad-name|8
1.5 * * * *|bad-name|0
+5 * * * *|bad-name|0
0x10 * * * *|bad-name|0
1e1 * * * *|bad-name|0
٣ * * * *|bad-name|0
５ * * * *|bad-name|0
5m * * * *|bad-name|0
*5 * * * *|bad-name|0
** * * * *|bad-name|0
*-5 * * * *|bad-name|0
5-* * * * *|bad-name|2
5- * * * *|bad-name|2
1-2-3 * * * *|bad-name|2
1--3 * * * *|out-of-range|2
1;2 * * * *|bad-name|0
1_000 * * * *|bad-name|0
$ * * * *|bad-name|0
* * * * *;|bad-name|8
@dayly|bad-name|0
@|bad-name|0
@every5m|bad-name|0
@never|bad-name|0
5,,10 * * * *|empty|2
,5 * * * *|empty|0
5, * * * *|empty|2
, * * * *|empty|0
* * 1, * *|empty|6
*/0 * * * *|bad-step|2
*/00 * * * *|bad-step|2
*/61 * * * *|bad-step|2
*/90 * * * *|bad-step|2
*/-5 * * * *|bad-step|2
*/1.5 * * * *|bad-step|2
*/x * * * *|bad-step|2
*/ * * * *|bad-step|2
5/ * * * *|bad-step|2
/5 * * * *|bad-step|0
*/5/5 * * * *|bad-step|2
*// * * * *|bad-step|2
0-30/61 * * * *|bad-step|5
5/99 * * * *|bad-step|2
* */25 * * *|bad-step|4
* * */32 * *|bad-step|6
* * * */13 *|bad-step|8
* * * * */8|bad-step|10
* * * * MON/8|bad-step|12
*/61 * * * * *|bad-step|2
H/61 * * * *|bad-step|2
* * * * * * */8031|bad-step|14
5-3 * * * *|reversed-range|0
59-0 * * * *|reversed-range|0
* 22-2 * * *|reversed-range|2
* * 31-1 * *|reversed-range|4
* * * DEC-JAN *|reversed-range|6
* * * 11-2 *|reversed-range|6
* * * * FRI-MON|reversed-range|8
* * * * 5-1|reversed-range|8
* * * * 5-0|reversed-range|8
* * * * 7-1|reversed-range|8
* * * * SAT-0|reversed-range|8
* * * * * * 2030-2029|reversed-range|12
30-10/5 * * * *|reversed-range|0
1,5-3 * * * *|reversed-range|2
? * * * *|bad-special|0
* ? * * *|bad-special|2
* * * ? *|bad-special|6
? * * * * *|bad-special|0
* * * * * * ?|bad-special|12
* * ?/2 * *|bad-special|4
* * ?5 * *|bad-special|4
L * * * *|bad-special|0
* L * * *|bad-special|2
* * * L *|bad-special|6
* * * * L|bad-special|8
* * * * LW|bad-special|8
* * * * W|bad-special|8
5L * * * *|bad-special|0
15W * * * *|bad-special|0
* * W * *|bad-special|4
* * WL * *|bad-special|4
* * LL * *|bad-special|4
* * L5 * *|bad-special|4
* * 5L * *|bad-special|4
* * L/2 * *|bad-special|4
* * LW/2 * *|bad-special|4
* * 15W/2 * *|bad-special|4
* * L-0 * *|bad-special|4
* * L-31 * *|bad-special|4
* * L- * *|bad-special|4
* * L-3W * *|bad-special|4
* * L-1-2 * *|bad-special|4
* * 1-L * *|bad-special|4
* * 1-15W * *|bad-special|4
* * 15W-20W * *|bad-special|4
* * 1,W * *|bad-special|6
* * 5#1 * *|bad-special|4
* * FRIL * *|bad-name|4
* * * * 15W|bad-special|8
* * * * MON#0|bad-special|8
* * * * MON#6|bad-special|8
* * * * MON#|bad-special|8
* * * * #1|bad-special|8
* * * * MON#1#2|bad-special|8
* * * * MON#L|bad-special|8
* * * * MON#1-3|bad-special|8
* * * * MON-FRI#1|bad-special|8
* * * * MON#2/2|bad-special|8
* * * * FRIL/2|bad-special|8
* * * * FRIL-SUN|bad-special|8
* * * * 1-5L|bad-special|8
* * * MON#1 *|bad-special|6
@reboot|bad-special|0
H(5) * * * *|bad-special|0
H() * * * *|bad-special|0
H(1-2 * * * *|bad-special|0
H5 * * * *|bad-special|0
H-5 * * * *|bad-special|0
* * * * * * H|bad-special|12
H(9-5) * * * *|reversed-range|2
H(0-60) * * * *|out-of-range|4
H/0 * * * *|bad-step|2
1-H * * * *|bad-name|2
HH * * * *|bad-name|0
0 0 30 2 *|never-fires|
0 0 31 2 *|never-fires|
0 0 30,31 FEB *|never-fires|
0 0 31 4,6,9,11 *|never-fires|
0 0 31 SEP ?|never-fires|
0 0 30W 2 *|never-fires|
0 0 L-30 4 *|never-fires|
0 0 L-29 2 *|never-fires|
0 0 0 29 2 ? 2027|never-fires|
0 0 0 29 2 ? 2100|never-fires|
0 0 0 29 2 * 2025-2027|never-fires|
0 0 0 31 6 * 2030|never-fires|
0 0 0 ? 2 MON#5 2028|never-fires|
@daily @weekly|field-count|7
@hourly 5|field-count|8
@every|bad-duration|6
@every 5|bad-duration|7
@every   0s|bad-duration|9
@every -5m|bad-duration|
@every five minutes|bad-duration|
`;
