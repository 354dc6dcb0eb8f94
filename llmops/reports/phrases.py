"""Every word of a page, in English and in Chinese: one key, both languages.

A phrase is a sentence or a label with named places; numbers and names come in already as text.
To add a language: one more field here, and a test says which phrases lack it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

Lang = Literal["en", "zh"]
LANGS: tuple[Lang, ...] = get_args(Lang)


class Phrase(NamedTuple):
    """One thing said in each language."""

    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class Words:
    """The phrases of one language: `words("n_cases", n="600")`. KeyError for an unknown one."""

    lang: Lang

    def __call__(self, key: str, **given: str) -> str:
        """The phrase of that key, its places filled."""
        phrase = PHRASES[key]
        return (phrase.zh if self.lang == "zh" else phrase.en).format(**given)

    def listed(self, items: list[str] | tuple[str, ...]) -> str:
        """`a, b, c` as the language writes it."""
        return ("、" if self.lang == "zh" else ", ").join(items)


PHRASES: Mapping[str, Phrase] = {
    # the page
    "title": Phrase("Evidence report", "证据报告"),
    "of": Phrase("Evidence report: {name}", "证据报告：{name}"),
    "other_language": Phrase("中文版", "English version"),
    "contents": Phrase("Contents", "目录"),
    "cut": Phrase("… {n} more characters", "……另有 {n} 个字符"),
    "more_rows": Phrase("… {n} more rows are not shown here", "……另有 {n} 行未在此列出"),
    "more_sections": Phrase(
        "{n} sections did not fit here; the HTML report has them",
        "另有 {n} 节因篇幅未列出，见 HTML 报告",
    ),
    "csv_section": Phrase("section", "章节"),
    "csv_table": Phrase("table", "表"),
    "csv_row": Phrase("row", "行"),
    "csv_column": Phrase("column", "列"),
    "csv_value": Phrase("value", "值"),
    "csv_evidence": Phrase("evidence", "证据"),
    "empty": Phrase("(empty)", "（空）"),
    "none": Phrase("(none)", "（无）"),
    "unset": Phrase("unset", "未设置"),
    "judged_by": Phrase("judged by {who}", "由 {who} 评分"),
    "control": Phrase("evidence for control {names}", "可作为控制项 {names} 的证据"),
    "foot": Phrase(
        "Made by llmops {version} from kept evidence; nothing on this page was typed by hand. "
        "The same evidence gives the same page, byte for byte.",
        "本报告由 llmops {version} 根据留存的证据自动生成，页面内容均非人工填写；"
        "同一份证据生成的页面逐字节相同。",
    ),
    # outcomes
    "passed": Phrase("passed", "通过"),
    "warned": Phrase("warned", "有警告"),
    "inconclusive": Phrase("inconclusive", "无法判定"),
    "failed": Phrase("failed", "未通过"),
    # the first page
    "verdict": Phrase("Verdict", "结论"),
    "headline": Phrase("{n} of {total} gates {word}", "{total} 项门禁中 {n} 项{word}"),
    "headline_waived": Phrase("{n} waived", "{n} 项经豁免"),
    "headline_all": Phrase("all {total} gates passed", "{total} 项门禁全部通过"),
    "headline_none": Phrase("no gate judged this tree", "没有门禁对此版本作出判定"),
    "headline_notes": Phrase(
        "{total} gates, held back by a note", "共 {total} 项门禁，另有附注限制了结论"
    ),
    "means_passed": Phrase(
        "Every gate that the target branch asks for was shown to hold on its cases.",
        "目标分支要求的每一项门禁，均已由测试用例证明成立。",
    ),
    "means_warned": Phrase(
        "Nothing forbids this change; what is listed below deserves a look before it is merged.",
        "没有门禁阻止此变更；合并前请先查看下列事项。",
    ),
    "means_inconclusive": Phrase(
        "The evidence neither shows nor refutes every gate. An undecided gate does not pass.",
        "现有证据既不能证明、也不能否定全部门禁。无法判定的门禁不算通过。",
    ),
    "means_failed": Phrase(
        "At least one gate was refuted by the evidence. This change may not be merged as it is.",
        "证据表明至少有一项门禁不成立，此变更不得按现状合并。",
    ),
    "system": Phrase("System", "系统"),
    "tree": Phrase("Tree judged", "受检版本（git 树）"),
    "base": Phrase("Target branch (base)", "目标分支（基线）"),
    "policy": Phrase("Policy", "依据的策略"),
    "judged": Phrase("Judged at", "判定时间"),
    "tool": Phrase("Tool", "工具"),
    "no_base": Phrase("none: the first version", "无（首个版本）"),
    "no_policy": Phrase("none at base", "基线中没有策略"),
    "not_committed": Phrase("{tree} (not committed)", "{tree}（尚未提交）"),
    "fig_gates": Phrase("gates passed", "项门禁通过"),
    "fig_cases": Phrase("cases behind the largest gate", "个用例（用例最多的一项门禁）"),
    "fig_moved": Phrase("cases got worse / better", "个用例变差 / 变好"),
    "fig_jobs": Phrase("jobs with evidence", "项任务有证据"),
    "fig_looser": Phrase("bounds looser than base", "处要求比基线宽松"),
    "n_of": Phrase("{n} of {total}", "{n} / {total}"),
    "front_reasons": Phrase("What decided it", "判定依据"),
    "front_gaps": Phrase("What was not measured", "哪些内容未测量"),
    "front_gaps_none": Phrase(
        "Everything that this report can show was measured.", "本报告可展示的内容均已测量。"
    ),
    "front_gaps_more": Phrase("{n} more in section {section}", "另有 {n} 项，见第 {section} 节"),
    "front_approvals": Phrase("Who approved", "审批情况"),
    "no_approval_needed": Phrase(
        "Nothing was loosened, so no approval was needed. llmops records approvals of loosened "
        "requirements only.",
        "没有放宽任何要求，因此无需审批。llmops 只记录针对放宽要求的审批。",
    ),
    "approved_by": Phrase("{name}: approved by {by}", "{name}：已由 {by} 批准"),
    "approval_open": Phrase("{name}: not approved yet", "{name}：尚未批准"),
    "approval_unasked": Phrase(
        "{n} requirements were loosened; base's policy asks for no approval.",
        "有 {n} 处要求被放宽；基线策略未要求审批。",
    ),
    "approval_partly": Phrase(
        "{name}: {by} approved, more approvals are needed", "{name}：{by} 已批准，仍需其他人批准"
    ),
    # section titles
    "s_changes": Phrase("What changed", "变更内容"),
    "s_jobs": Phrase("What ran, what was reused, and why", "执行与复用的任务及原因"),
    "s_gates": Phrase("Gates against their bounds", "门禁与限值"),
    "s_differences": Phrase("Differences against base", "与基线的差异"),
    "s_training": Phrase("Training: the loss curve", "训练：损失曲线"),
    "s_data": Phrase("Data: the curation funnel", "数据：筛选过程"),
    "s_confusion": Phrase("Which answers were confused", "混淆矩阵"),
    "s_cases": Phrase("Cases that got worse", "变差的用例"),
    "s_safety": Phrase("Safety findings", "安全测试发现"),
    "s_guards": Phrase("Guardrails: blocked and let by", "护栏：拦截与放行"),
    "s_looser": Phrase("Looser than base, approvals, waivers", "放宽的要求、审批与豁免"),
    "s_estimates": Phrase("Estimates against measured use", "资源：预估与实测"),
    "s_gaps": Phrase("What was not measured", "未测量的内容"),
    "s_method": Phrase("Method, in plain words", "方法说明"),
    "s_tools": Phrase("Environment and tools", "运行环境与工具"),
    "s_numbers": Phrase("Every number and its evidence", "全部数字及其证据"),
    "s_evidence": Phrase("Evidence digests", "证据摘要值"),
    # columns
    "c_spec": Phrase("spec", "规格"),
    "c_field": Phrase("field", "字段"),
    "c_before": Phrase("before", "变更前"),
    "c_after": Phrase("after", "变更后"),
    "c_needs": Phrase("needs", "需要重做"),
    "c_job": Phrase("job", "任务"),
    "c_state": Phrase("state", "状态"),
    "c_why": Phrase("why", "原因"),
    "c_evidence": Phrase("evidence", "证据"),
    "c_gate": Phrase("gate", "门禁"),
    "c_value": Phrase("value", "数值"),
    "c_interval": Phrase("95 % interval", "95 % 置信区间"),
    "c_bound": Phrase("bound", "限值"),
    "c_n": Phrase("cases", "用例数"),
    "c_verdict": Phrase("verdict", "结论"),
    "c_base": Phrase("base", "基线"),
    "c_head": Phrase("this tree", "本版本"),
    "c_difference": Phrase("difference", "差值"),
    "c_because": Phrase("because", "理由"),
    "c_place": Phrase("where", "位置"),
    "c_step": Phrase("step", "步骤"),
    "c_at_step": Phrase("step", "步数"),
    "c_loss": Phrase("loss", "损失"),
    "c_rows_in": Phrase("rows in", "输入行数"),
    "c_rows_out": Phrase("rows out", "输出行数"),
    "c_dropped": Phrase("held back", "剔除"),
    "c_found": Phrase("found, kept", "发现但保留"),
    "c_expected": Phrase("expected", "期望回答"),
    "c_given": Phrase("given", "实际回答"),
    "c_asked": Phrase("asked", "问题"),
    "c_case": Phrase("case", "用例"),
    "c_detector": Phrase("detector", "检测器"),
    "c_status": Phrase("status", "状态"),
    "c_errors": Phrase("errors", "出错数"),
    "c_findings": Phrase("findings", "发现数"),
    "c_severity": Phrase("severity", "严重程度"),
    "c_finding": Phrase("finding", "发现"),
    "c_examples": Phrase("example", "示例"),
    "c_test": Phrase("test", "测试"),
    "c_expect": Phrase("must be", "应当"),
    "c_as_expected": Phrase("as expected", "符合预期"),
    "c_rate": Phrase("rate", "比率"),
    "c_missed": Phrase("missed", "不符预期"),
    "c_what": Phrase("what", "项目"),
    "c_approval": Phrase("approval", "审批"),
    "c_waiver": Phrase("waiver", "豁免"),
    "c_expires": Phrase("last day", "截止日"),
    "c_days": Phrase("days left", "剩余天数"),
    "c_owner": Phrase("owner", "负责人"),
    "c_ticket": Phrase("ticket", "工单"),
    "c_memory_estimated": Phrase("memory, estimated", "内存预估"),
    "c_memory": Phrase("memory, peak", "内存峰值"),
    "c_seconds": Phrase("time", "耗时"),
    "c_processes": Phrase("processes", "进程数"),
    "c_ratio": Phrase("measured / estimated", "实测 / 预估"),
    "c_tool": Phrase("tool", "工具"),
    "c_version": Phrase("version", "版本"),
    "c_used_by": Phrase("used by", "用于"),
    "c_numbers": Phrase("numbers", "数字"),
    "c_mark": Phrase("mark", "编号"),
    "c_statement": Phrase("statement (sha256)", "证据声明（sha256）"),
    "c_artifacts": Phrase("artifacts shown here", "本报告引用的产物"),
    "c_metric": Phrase("metric", "指标"),
    # changes
    "changes_none": Phrase("No spec changed its meaning.", "没有任何规格的含义发生变化。"),
    "changes_added": Phrase("added", "新增"),
    "changes_removed": Phrase("removed", "删除"),
    "changes_changed": Phrase("changed", "修改"),
    "changes_follow": Phrase("follows, through {what}", "随 {what} 变化"),
    "changes_describe": Phrase("for people only: no job", "仅为说明文字，无需执行任务"),
    "changes_nothing": Phrase("Nothing needs to run again", "无需重新执行任何任务"),
    "need_static": Phrase("static rules", "静态规则"),
    "need_gate": Phrase("judging only", "仅需重新判定"),
    "need_placement": Phrase("where it runs", "运行位置"),
    "need_descriptive": Phrase("nothing", "无"),
    "need_curate": Phrase("curate", "数据整理"),
    "need_train": Phrase("train", "训练"),
    "need_generate": Phrase("generate", "生成回答"),
    "need_evaluate": Phrase("evaluate", "评测"),
    "need_scan": Phrase("scan", "安全扫描"),
    "need_guard": Phrase("guard", "护栏测试"),
    "need_observe": Phrase("observe", "观测"),
    # jobs
    "job_ran": Phrase("evidence kept", "证据已留存"),
    "job_failed": Phrase("ended badly: {why}", "结果不合格：{why}"),
    "job_open": Phrase("not run yet", "尚未执行"),
    "job_idle": Phrase("not needed", "无需执行"),
    "job_blocked": Phrase("cannot run", "无法执行"),
    "job_base": Phrase("{job} (base's target)", "{job}（基线的被测对象）"),
    "jobs_note": Phrase(
        "A job is named by the digest of everything that can change its result. Where that digest "
        "has evidence already, the job is not run again: the evidence is reused.",
        "任务以摘要值命名，该值涵盖一切可能影响结果的输入。若同一摘要值已有证据，"
        "任务不会重新执行，而是复用已有证据。",
    ),
    "jobs_none": Phrase("No gate needs a job.", "所有门禁均无需执行任务。"),
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
    # training
    "loss_chart": Phrase("Training loss by step, {job}", "{job}：训练损失随步数的变化"),
    "loss_axis": Phrase("step", "步数"),
    "loss_name": Phrase("loss", "损失"),
    "loss_table": Phrase(
        "{job}: {n} logged steps, from {first} to {last}, lowest {low}",
        "{job}：共记录 {n} 步，由 {first} 降至 {last}，最低 {low}",
    ),
    "loss_table_up": Phrase(
        "{job}: {n} logged steps, from {first} to {last}, lowest {low}: it did not fall",
        "{job}：共记录 {n} 步，由 {first} 变为 {last}，最低 {low}，未见下降",
    ),
    "no_training": Phrase("no training is part of this plan", "本次计划不含训练任务"),
    "no_curve": Phrase("no log of the training was kept", "未留存训练日志"),
    # data
    "funnel_chart": Phrase(
        "Rows left after each step, {subject}", "{subject}：每一步之后剩余的行数"
    ),
    "funnel_table": Phrase("{subject}: from source to parts", "{subject}：从来源到各部分"),
    "no_data": Phrase("no dataset was curated for this plan", "本次计划不含数据整理任务"),
    "no_funnel": Phrase("no funnel was kept", "未留存筛选记录"),
    "step_read": Phrase("read {what}", "读取 {what}"),
    "step_duplicates": Phrase("exact duplicates", "去除完全重复的行"),
    "step_parts": Phrase("divide into parts", "划分为各部分"),
    "step_select_in": Phrase("keep {column} in {values}", "保留 {column} 取值为 {values} 的行"),
    "step_select_out": Phrase("drop {column} in {values}", "剔除 {column} 取值为 {values} 的行"),
    # confusion
    "confusion_chart": Phrase("Expected by given label, {job}", "{job}：期望标签与实际标签"),
    "confusion_note": Phrase(
        "A row is an expected label, a column a given one; the darker, the larger the share of the "
        "row. Right answers stand on the diagonal (green), wrong ones beside it (red).",
        "行为期望标签，列为实际标签；颜色越深，占该行的比例越大。"
        "对角线（绿色）为正确回答，其余（红色）为错误回答。",
    ),
    "confusion_labels": Phrase(
        "{job}: {right} of {n} right, by label", "{job}：{n} 个用例中 {right} 个正确（按标签）"
    ),
    "confusion_pairs": Phrase("{job}: what was taken for what", "{job}：常见混淆"),
    "confusion_other": Phrase("(no label)", "（不是任何标签）"),
    "c_right": Phrase("right", "正确"),
    "c_wrong_label": Phrase("another label", "其他标签"),
    "c_no_label": Phrase("no label", "不是标签"),
    "c_no_answer": Phrase("no answer", "无回答"),
    "c_label": Phrase("label", "标签"),
    "no_labels": Phrase(
        "no evaluation with labels as expected answers", "没有以标签作为期望回答的评测"
    ),
    # cases
    "cases_note": Phrase(
        "Cases that base's target had right and this tree has wrong, the worst first. The text is "
        "that of the test data and of the model as it is; hidden characters are written out.",
        "以下用例基线回答正确、本版本回答错误，按退步程度排序。"
        "文字为测试数据与模型输出的原文，不可见字符以转义形式显示。",
    ),
    "cases_table": Phrase(
        "{gate}: {worse} got worse, {better} got better",
        "{gate}：{worse} 个变差，{better} 个变好",
    ),
    "cases_fine": Phrase(
        "{gate}: no case got worse, {better} got better", "{gate}：没有用例变差，{better} 个变好"
    ),
    "no_cases": Phrase(
        "base's target did not answer the same cases", "基线的被测对象没有回答同一组用例"
    ),
    # safety
    "safety_note": Phrase(
        "A detector that failed or saw no case says nothing about safety: it is listed with its "
        "errors, and it never counts as no finding.",
        "检测器若执行失败或没有测到任何用例，则不能说明安全与否；"
        "此类检测器连同出错数一并列出，绝不当作“未发现问题”。",
    ),
    "safety_reported": Phrase(
        "{job}: this suite is only reported. It has no gate, so its findings decide nothing.",
        "{job}：该测试集仅作报告，不设门禁，其发现不影响判定。",
    ),
    "safety_table": Phrase("{job}: detectors", "{job}：检测器"),
    "safety_findings": Phrase("{job}: findings", "{job}：发现的问题"),
    "safety_clean": Phrase(
        "{job}: {n} detectors asked {cases} cases and reported no finding",
        "{job}：{n} 个检测器共测试 {cases} 个用例，未报告问题",
    ),
    "no_scan": Phrase("no scan is part of this plan", "本次计划不含安全扫描"),
    "scan_open": Phrase("the scans of this plan have not run yet", "本次计划中的安全扫描尚未执行"),
    "detector_ok": Phrase("done", "完成"),
    "detector_error": Phrase("failed: {why}", "执行失败：{why}"),
    "detector_empty": Phrase("saw no case", "没有测到用例"),
    "detector_gap": Phrase("detector {name} of {job}", "{job} 的检测器 {name}"),
    "severity_high": Phrase("high", "高"),
    "severity_medium": Phrase("medium", "中"),
    "severity_low": Phrase("low", "低"),
    # guardrails
    "guards_note": Phrase(
        "A guardrail can err in two ways: it lets by what it must stop, and it stops what it must "
        "let by. Both are counted, on data declared for each.",
        "护栏可能出现两类错误：放过了应当拦截的内容，或拦截了应当放行的内容。"
        "两类错误分别用专门的数据统计。",
    ),
    "guards_chart": Phrase(
        "Share of cases treated as expected, with 95 % intervals",
        "符合预期的用例占比及 95 % 置信区间",
    ),
    "guards_table": Phrase("Guardrail tests", "护栏测试"),
    "expect_block": Phrase("blocked", "被拦截"),
    "expect_mask": Phrase("masked", "被遮盖"),
    "expect_allow": Phrase("let by", "被放行"),
    "missed_block": Phrase("let by", "漏拦"),
    "missed_mask": Phrase("not masked", "未遮盖"),
    "missed_allow": Phrase("stopped wrongly", "误拦"),
    "guards_in_use": Phrase("Guardrails at work inside the application", "应用内护栏的实际动作"),
    "c_blocked": Phrase("blocked", "拦截"),
    "c_masked": Phrase("masked", "遮盖"),
    "no_guard": Phrase("no guardrail test is part of this plan", "本次计划不含护栏测试"),
    "no_guard_rows": Phrase("its rows were not kept", "未留存其逐条结果"),
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
    # estimates
    "estimates_note": Phrase(
        "Memory is the peak of one process as the operating system reports it, time the wall clock "
        "of the job. Both belong to the machine that ran it, not to the verdict.",
        "内存为操作系统报告的单进程峰值，耗时为任务的实际用时；"
        "两者取决于运行任务的机器，不影响判定结论。",
    ),
    "no_estimate": Phrase("no estimate", "未预估"),
    "no_resources": Phrase("no job has evidence of what it used", "没有任务留存资源用量"),
    "budgets_table": Phrase("Budgets of this change", "本次变更的预算"),
    "c_budget": Phrase("budget", "预算"),
    "c_unit": Phrase("unit", "单位"),
    "c_limit": Phrase("limit", "上限"),
    "c_used": Phrase("used so far", "已使用"),
    "unit_usd": Phrase("US dollars", "美元"),
    "unit_gpu_hours": Phrase("GPU-hours", "GPU 小时"),
    "unit_cpu_hours": Phrase("CPU-hours", "CPU 小时"),
    "gap_cost": Phrase("Cost in money", "费用"),
    "gap_cost_why": Phrase(
        "no policy sets a budget, so nothing was added up", "没有策略设定预算，因此未作统计"
    ),
    "gap_energy": Phrase("Energy and carbon", "能耗与碳排放"),
    "gap_energy_why": Phrase(
        "llmops keeps memory and time of a job, not energy",
        "llmops 只留存任务的内存与耗时，不记录能耗",
    ),
    "gap_memory": Phrase("memory estimate of {job}", "{job} 的内存预估"),
    "gap_memory_why": Phrase("no estimate was made before it ran", "执行前没有作出预估"),
    "seconds": Phrase("{n} s", "{n} 秒"),
    "megabytes": Phrase("{n} MiB", "{n} MiB"),
    # gaps
    "gaps_note": Phrase(
        "A page that is silent about something would read as if it were fine. These rows say what "
        "this report cannot tell, and why.",
        "对某项内容只字不提，容易让人误以为没有问题。下列各行列出本报告无法说明的内容及其原因。",
    ),
    "not_measured": Phrase("Not measured", "未测量"),
    "gap_gate": Phrase("gate {gate}", "门禁 {gate}"),
    "gap_job": Phrase("job {job}", "任务 {job}"),
    "gap_artifact": Phrase("{artifact} of {job}", "{job} 的 {artifact}"),
    "gap_production": Phrase("Behaviour with real users", "真实用户环境中的表现"),
    "gap_production_why": Phrase(
        "all numbers come from declared test data, before any traffic",
        "全部数字均来自事先指定的测试数据，尚未接入真实流量",
    ),
    "gap_attempts": Phrase("How often these cases were looked at", "同一批用例被评测的次数"),
    "gap_attempts_why": Phrase(
        "attempts per claim are not counted, so repeated tries are not corrected for",
        "未统计同一门禁的尝试次数，因此没有对多次尝试作校正",
    ),
    "why_gone": Phrase("the kept artifact is gone or damaged", "留存的产物已丢失或损坏"),
    "why_unreadable": Phrase("the kept artifact is not as expected", "留存的产物格式不符"),
    # tools
    "tools_jobs": Phrase("Where the jobs ran", "任务的运行环境"),
    "tools_pins": Phrase("Tools by version", "工具与版本"),
    "c_platform": Phrase("platform", "平台"),
    "c_python": Phrase("Python", "Python"),
    "c_accelerator": Phrase("computed on", "计算设备"),
    "no_tools": Phrase("no job has evidence", "没有任务留存证据"),
    # numbers, evidence
    "numbers_note": Phrase(
        "Each line repeats the numbers of one row above, with the evidence they rest on. "
        "llmops gate computes them again from the kept rows.",
        "每一行重列上文某一行的数字及其依据的证据。llmops gate 可用留存的逐条结果重新计算。",
    ),
    "evidence_note": Phrase(
        "A statement is kept under the sha256 of its own bytes and names the digest of every "
        "artifact. One changed byte gives another name.",
        "每份证据声明以其自身字节的 sha256 命名，并记录每个产物的摘要值；"
        "改动一个字节，名称就会不同。",
    ),
    "no_evidence": Phrase("no job has evidence", "没有任务留存证据"),
    "c_closure": Phrase("closure (sha256)", "输入闭包（sha256）"),
}
