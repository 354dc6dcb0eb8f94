"""Words of every page: its frame, first page, titles, columns, changes, jobs and evidence."""

from __future__ import annotations

from collections.abc import Mapping

from llmops.reports.phrase import Phrase

PAGE: Mapping[str, Phrase] = {
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
    # the first page
    "verdict": Phrase("Verdict", "结论"),
    "headline": Phrase("{n} of {total} gates {word}", "{total} 项门禁中 {n} 项{word}"),
    "headline_waived": Phrase("{n} waived", "{n} 项经豁免"),
    "waived_word": Phrase("{word} ({unwaived}, waived)", "{word}（{unwaived}，已豁免）"),
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
    "log": Phrase("Signed log", "签名日志"),
    "in_log": Phrase(
        "{origin} · {size} entries · root {root}", "{origin} · 共 {size} 条 · 根哈希 {root}"
    ),
    "not_in_log": Phrase("none: no signed log has this verdict", "无（签名日志中没有这一结论）"),
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
    "front_unshown": Phrase(
        "{n} things are let through without being shown, or no gate is about them: section "
        "{section}.",
        "有 {n} 项未经证明即被放行或不在任何门禁范围内，见第 {section} 节。",
    ),
    "front_gaps": Phrase("What was not measured", "哪些内容未测量"),
    "front_gaps_none": Phrase(
        "Everything that this report can show was measured.", "本报告可展示的内容均已测量。"
    ),
    "front_gaps_more": Phrase("{n} more in section {section}", "另有 {n} 项，见第 {section} 节"),
    "front_approvals": Phrase("Who approved", "审批情况"),
    "no_approval_needed": Phrase(
        "Nothing was loosened, and base's policies ask for no other approval of this change.",
        "没有放宽任何要求，基线策略也未要求对此变更作其他审批。",
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
    "s_attempts": Phrase("Attempts and looks", "尝试次数与查看次数"),
    "s_judges": Phrase("How good the judges are", "裁判模型的可靠程度"),
    "s_unshown": Phrase("What is not shown", "未得到证明的内容"),
    "s_gaps": Phrase("What was not measured", "未测量的内容"),
    "s_proof": Phrase("Check it yourself", "自行核验"),
    "s_method": Phrase("Method, in plain words", "方法说明"),
    "s_tools": Phrase("Environment and tools", "运行环境与工具"),
    "s_numbers": Phrase("Every number and its evidence", "全部数字及其证据"),
    "s_evidence": Phrase("Evidence digests", "证据摘要值"),
    # columns
    "c_log": Phrase("log", "日志"),
    "c_checkpoint": Phrase("entries · root", "条目数 · 根哈希"),
    "c_entry": Phrase("entry of this verdict", "本结论的条目编号"),
    "c_signed": Phrase("digest of its statement", "该条声明的摘要值"),
    "c_trust": Phrase("digest of the trust root", "信任根的摘要值"),
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
    "proof_note": Phrase(
        "This verdict is signed, and stands in a log from which nothing can be taken and into "
        "which nothing can be slipped without changing its root.",
        "本结论已签名，并载入日志；从日志中删去或插入任何内容，都会改变其根哈希。",
    ),
    "proof_check": Phrase(
        "Three lines, without a network and without trusting whoever made this page",
        "三行命令即可核验：无需联网，也无需信任本页的制作者",
    ),
    "proof_anchor": Phrase(
        "Ask for the bundle, and for the digest of the trust root by another way than this page "
        "(a contract, a telephone call, the repository itself): a page can name any digest. The "
        "third line also remembers what you saw, so that a log that is rewritten later is named.",
        "请向对方索取核验包，并通过本页以外的渠道（合同、电话、代码仓库）取得信任根的摘要值，"
        "因为页面上可以写任何摘要值。第三行命令还会记住您所见的日志，日后若被改写即可指出。",
    ),
    "proof_limits": Phrase(
        "It shows that the verdict follows from the rows that were signed, by the policy that was "
        "in force. It does not show that the model behaves so elsewhere, nor that whoever ran the "
        "jobs answered honestly: for that, have jobs run again.",
        "核验表明：依据当时生效的策略，结论可由已签名的数据行推出。核验并不表明模型在其他场合也如此表现，"
        "也不表明执行任务的一方如实作答；后者须重新执行任务才能确认。",
    ),
    "gap_signed": Phrase("Who vouches for this verdict", "由谁为本结论作证"),
    "gap_signed_why": Phrase(
        "no signed log has it: llmops keys init makes keys, and what is counted is signed then",
        "签名日志中没有这一结论：可用 llmops keys init 生成密钥，此后计入的结论都会签名",
    ),
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
    "gap_attempts_none": Phrase(
        "no claim was tried anew: what was judged is what base stands on already",
        "没有任何门禁被重新尝试：受检内容与基线现有内容相同",
    ),
    "gap_looks": Phrase("Looks at held-out cases", "留出用例被查看的次数"),
    "gap_looks_why": Phrase("no evidence names them", "没有证据记录"),
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
