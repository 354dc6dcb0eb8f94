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
        "bound that it must clear. By the bound, a gate passes only when its one-sided bound is on "
        "the right side of the mark; by the number, when the dot is. The policy says which of the "
        "two decides.",
        "圆点为实测值，横线为双侧 95 % 置信区间，竖线为必须达到的限值。"
        "“按置信限”要求单侧置信限落在限值的正确一侧，“按实测值”只要求圆点落在正确一侧，"
        "以哪一种为准由策略决定。",
    ),
    "by_bound": Phrase("by bound", "按置信限"),
    "by_number": Phrase("by number", "按实测值"),
    "not_shown": Phrase("not shown", "未得到证明"),
    "waived_mark": Phrase(", waived", "（已豁免）"),
    "group_shares": Phrase("Claims on shares, from 0 to 1", "以 0 至 1 的比例表示的要求"),
    "group_gaps": Phrase(
        "Gaps between groups, or between versions of a case", "各组之间、同一用例不同版本之间的差距"
    ),
    "group_differences": Phrase("Head minus base, case by case", "本版本减基线的逐例差值"),
    "group_own": Phrase("{scale}, on a scale of its own", "{scale}（单独刻度）"),
    "gates_chart": Phrase(
        "Every gate with an interval, against its bound", "全部带区间的门禁及其限值"
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
    "c_newly": Phrase("would newly pass", "放宽后新通过"),
    # both profiles
    "profiles_table": Phrase("Two ways of reading a claim", "两种判读方式对照"),
    "c_reading": Phrase("read by", "判读依据"),
    "reading_assured": Phrase("the one-sided bound (assured)", "单侧置信限（assured）"),
    "reading_literal": Phrase("the measured number (literal)", "实测值（literal）"),
    "reading_decides": Phrase("{reading}, decides here", "{reading}，本次以此为准"),
    # forecasts
    "planned_table": Phrase("What the planned cases can decide", "计划用例数能否作出判定"),
    "c_decidable": Phrase("can be decided", "能否判定"),
    "c_passes_at": Phrase("true value for 80 % power", "80 % 把握所需真实值"),
    "c_needed": Phrase("cases that would decide", "判定所需用例数"),
    "decidable_yes": Phrase("yes", "能"),
    "decidable_no": Phrase("no result could pass", "任何结果都不能通过"),
    "decidable_hardly": Phrase("only with more cases", "需要更多用例"),
    "decidable_unknown": Phrase("not known before the run", "执行前未知"),
    # attempts and looks
    "attempts_note": Phrase(
        "A claim that may be tried several times shares its error rate among the tries: the first "
        "of three is tested at a half of it, the other two at a quarter each. An attempt is "
        "recorded before it starts.",
        "一项要求如果可以多次尝试，各次尝试分摊同一个错误率：共三次时，第一次用一半，"
        "后两次各用四分之一。每次尝试都在开始之前登记。",
    ),
    "attempts_table": Phrase("Attempts at each claim", "各项要求的尝试次数"),
    "c_attempt": Phrase("attempt", "第几次尝试"),
    "c_level": Phrase("tested at the level", "检验水平"),
    "looks_table": Phrase("Looks at held-out cases", "留出用例被查看的次数"),
    "c_dataset": Phrase("dataset", "数据集"),
    "c_looks": Phrase("looks", "查看次数"),
    "c_rows_digest": Phrase("its rows (sha256)", "数据行（sha256）"),
    "no_limit": Phrase("no limit", "未设上限"),
    "advisory": Phrase(
        "This verdict is advisory: nothing was counted, and every claim had its whole error rate. "
        "It is never enough to merge or to release.",
        "本结论仅供参考：没有计入尝试次数，每项要求都使用了全部错误率，不能据此合并或发布。",
    ),
    "counted_claim": Phrase(
        "Attempts are counted for each claim over all changes: {n} entries in the ledger, the last "
        "of them {last}.",
        "按每项要求计数，跨全部变更累计：台账共 {n} 条，最后一条为 {last}。",
    ),
    "counted_pull_request": Phrase(
        "Attempts are counted within the pull request {change}: {n} entries in the ledger, the "
        "last of them {last}.",
        "在拉取请求 {change} 之内计数：台账共 {n} 条，最后一条为 {last}。",
    ),
    "counted_granted": Phrase(
        "One attempt more is granted by {name}: {by}.", "{name} 批准增加一次尝试：{by}。"
    ),
    # judges
    "judges_note": Phrase(
        "A judge is an instrument, and it errs. People rated some of the answers without seeing "
        "what the judge said. Sensitivity is the share of good answers that it passes, specificity "
        "the share of bad ones that it fails; the claim is decided on bounds corrected by both.",
        "裁判模型是一种测量工具，也会出错。人工在不知道其结论的情况下为部分回答评级：灵敏度是好回答中"
        "被它判为合格的比例，特异度是差回答中被它判为不合格的比例；要求按两者校正后的置信限判定。",
    ),
    "judges_table": Phrase("Judges on answers that people rated", "裁判模型与人工评级的比较"),
    "judges_checks": Phrase("Control items and steadiness", "对照题与稳定性"),
    "judges_none": Phrase("No judge was asked.", "没有使用裁判模型。"),
    "c_judge": Phrase("judge", "裁判模型"),
    "c_anchors": Phrase("rated answers", "评级回答数"),
    "c_sensitivity": Phrase("sensitivity", "灵敏度"),
    "c_specificity": Phrase("specificity", "特异度"),
    "c_raw": Phrase("judge alone", "校正前"),
    "c_corrected": Phrase("corrected", "校正后"),
    "c_controls": Phrase("control items wrong", "对照题判错"),
    "c_injected": Phrase("items with orders to the judge wrong", "指令注入题判错"),
    "c_consistency": Phrase("repeats that agree", "重复评分一致率"),
    "c_early": Phrase("right in the first half", "前半批次判对率"),
    "c_late": Phrase("right in the second half", "后半批次判对率"),
    "gap_judge": Phrase("how often {judge} errs on {gate}", "{judge} 在 {gate} 上的出错率"),
    "gap_judge_why": Phrase("no rated answers calibrate it", "没有用于校准的人工评级回答"),
    # what is not shown
    "unshown_note": Phrase(
        "A verdict says no more than its gates show. The rows below are let through without being "
        "shown, or no gate is about them, whatever the verdict says.",
        "结论只涵盖门禁已经证明的内容。下列各项或未经证明即被放行，或不属于任何门禁的范围，"
        "无论结论如何。",
    ),
    "unshown_none": Phrase(
        "Nothing was let through without being shown.", "没有未经证明即被放行的内容。"
    ),
    "unshown_whole": Phrase("this verdict as a whole", "整个结论"),
    "unshown_gate": Phrase("let through: {why}", "已放行：{why}"),
    "unshown_route": Phrase(
        "nothing measures what users who take this route get", "走这条路由的请求未经任何评测"
    ),
    "unshown_target": Phrase(
        "declared here, and no gate is about it", "已在规格中声明，但没有门禁涉及"
    ),
    "unshown_reported": Phrase(
        "measured or reported only: no bound decides", "仅测量或报告，没有限值，不参与判定"
    ),
    "unshown_advisory": Phrase(
        "advisory: no attempt was counted, so it is never enough to merge or to release",
        "仅供参考：没有计入尝试次数，不能据此合并或发布",
    ),
    "unshown_dirty": Phrase(
        "the tree is not committed, so nobody else can get the same one",
        "代码树尚未提交，他人无法取得同一版本",
    ),
}
