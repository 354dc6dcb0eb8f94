"""Words of what was judged: outcomes, gates, differences, what is looser."""

from __future__ import annotations

from collections.abc import Mapping

from llmops.reports.phrase import Phrase

JUDGED: Mapping[str, Phrase] = {
    # outcomes
    "passed": Phrase("passed", "通过"),
    "warned": Phrase("warned", "有警告"),
    "inconclusive": Phrase("inconclusive", "无法判定"),
    "failed": Phrase("failed", "未通过"),
    # gates
    "gates_note": Phrase(
        "The dot is the measured value, the line its two-sided 95 % interval, the upright mark the "
        "bound that it must clear. A gate passes only when its one-sided bound is on the right "
        "side, so a dot beyond the mark is not enough by itself.",
        "圆点为实测值，横线为双侧 95 % 置信区间，竖线为必须达到的限值。"
        "只有单侧置信限落在限值的正确一侧，门禁才算通过；仅圆点越过竖线并不足够。",
    ),
    "gates_chart": Phrase(
        "Measured values with 95 % intervals against their bounds",
        "各门禁的实测值、95 % 置信区间与限值",
    ),
    "gates_chart_own": Phrase(
        "Measured values on a scale of their own, {scale}", "实测值（单独刻度，{scale}）"
    ),
    "gates_numbers": Phrase("Gates with numbers", "有数值的门禁"),
    "gates_rules": Phrase("Rules and gates without a number", "规则及没有数值的门禁"),
    "gates_of_base": Phrase("{gate} (base's)", "{gate}（基线版）"),
    "gates_none": Phrase("no gate is declared for this tree", "此版本没有声明任何门禁"),
    "bound_min": Phrase("at least {x}", "不低于 {x}"),
    "bound_max": Phrase("at most {x}", "不高于 {x}"),
    "bound_margin": Phrase("not worse by more than {x}", "变差幅度不超过 {x}"),
    "bound_none": Phrase("none of severity {severity}", "没有严重程度为“{severity}”的发现"),
    "about_more": Phrase("about {n} more cases would decide", "约再增加 {n} 个用例即可判定"),
    # differences
    "differences_note": Phrase(
        "Head's and base's target answered the same cases; the difference is taken case by case. "
        "The upright marks are zero and the loss that is allowed: it lies below zero where more "
        "is better, above it where less is better.",
        "本版本与基线回答同一组用例，差值按用例逐一配对计算。竖线分别表示零和允许的退步幅度："
        "数值越大越好时，退步幅度位于零的左侧；越小越好时，位于右侧。",
    ),
    "differences_chart": Phrase(
        "Differences, this tree minus base, with 95 % intervals",
        "本版本减基线的差值及 95 % 置信区间",
    ),
    "no_differences": Phrase(
        "no gate compares this tree with base, or base has nothing to compare with",
        "没有门禁与基线比较，或基线没有可比较的对象",
    ),
    # looser
    "looser_note": Phrase(
        "What must hold is read from the target branch. A requirement that this change weakens or "
        "removes is listed here, and counts only with the approval that the target branch names.",
        "应满足的要求以目标分支为准。本次变更放宽或删除的要求均列于此，"
        "只有取得目标分支指定的审批后才生效。",
    ),
    "looser_table": Phrase("Looser than base", "比基线宽松的要求"),
    "looser_none": Phrase("Nothing is looser than base.", "没有任何要求比基线宽松。"),
    "looser_nobase": Phrase(
        "there is no base to compare the requirements with", "没有基线，无法比较要求的宽严"
    ),
    "waivers_table": Phrase("Waivers of the target branch", "目标分支中的豁免"),
    "waivers_none": Phrase("The target branch holds no waiver.", "目标分支中没有豁免。"),
    "looser_what": Phrase("requirements against base", "相对基线的要求"),
}
