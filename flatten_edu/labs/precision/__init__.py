"""The lab `precision`: why did fp16 give NaN, and which fix works?"""
